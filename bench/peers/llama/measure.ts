/** Tokens a second of llama.cpp with a decoder of the embedded model's size, beside the engine's decode steps. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readManifest } from '../../../src/package/package.ts'
import { modelFolder } from '../../engine.ts'
import { table, tellNumber, tellSpread } from '../../report.ts'
import { measureUnits } from '../../units.ts'

const bench = join(import.meta.dirname, '../..')
const rows = [1, 4, 16]
const feedForward = 512 // of models/networks/config.py; manifests do not tell it
const mostMs = 60_000 // its threads wait for each other in a loop, which takes very long where cores are busy

const run = promisify(execFile)

/** The section of the report. Installs `bench/package.json` where it is not yet. */
export async function measureLlama (pictures: Uint8Array[], rounds: number): Promise<string> {
  if (!existsSync(join(bench, 'node_modules/node-llama-cpp'))) {
    console.error('installing node-llama-cpp in bench/, 0.7 GB')
    // not `ci`, which refuses a lock file without the binaries of every platform
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund'], { cwd: bench })
  }
  const lines = []
  for (const threads of new Set([1, availableParallelism()])) lines.push(...(await llama(threads, rounds)))
  const { threads, decode } = await measureUnits(pictures)
  for (const { rows: count, ms } of decode.filter(step => rows.includes(step.rows))) {
    lines.push(line('one engine, decode steps', threads, count, tellNumber((count / ms) * 1000)))
  }
  return `Tokens a second of a decoder of equal size, float32, random weights in llama.cpp:\n\n${table(lines)}`
}

async function llama (threads: number, rounds: number) {
  const manifest = readManifest(modelFolder)
  const { layers, hidden_size: width, kv_heads: kvHeads, head_dim: each, max_length: places } = manifest.language_model
  const words = manifest.ids.image_start + manifest.image.grid.rows * manifest.image.grid.columns
  const sizes = { layers, width, heads: width / each, kvHeads, hidden: feedForward, words, places }
  const order = JSON.stringify({ ...sizes, threads, prompt: 20, tokens: 32, rows, rounds })
  try {
    const { stdout } = await run(process.execPath, ['run.js', order], { cwd: import.meta.dirname, timeout: mostMs })
    const results: { rows: number; rates: number[] }[] = JSON.parse(stdout)
    return results.map(({ rows, rates }) => line('llama.cpp', threads, rows, tellSpread(rates)))
  } catch {
    return [line('llama.cpp', threads, NaN, `failed, or took more than ${mostMs / 1000} s`)]
  }
}

function line (engine: string, threads: number, count: number, rate: string) {
  return { engine, threads: String(threads), rows: Number.isNaN(count) ? '' : String(count), 'tokens a second': rate }
}
