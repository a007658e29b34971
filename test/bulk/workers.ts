/** Workers of `lavit bulk` that are killed at random moments and begun again, and what they have made. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createRandom } from '../../src/engine/drawing/random.ts'

export const root = join(import.meta.dirname, '../..')

/** Pictures of which one in a hundred is broken, and one ends whoever asks about it. */
export function writePictures (folder: string, count: number) {
  mkdirSync(folder, { recursive: true })
  for (let i = 0; i < count; i++) {
    const bytes = i === count >> 1 ? 'poison' : i % 100 === 7 ? 'broken' : `bytes ${i}`
    writeFileSync(join(folder, `${String(i).padStart(6, '0')}.png`), bytes)
  }
}

type End = { code: number; stderr: string }

/** Runs a worker until one ends by itself. `onStart` hears of each, with a key that its requests carry. */
export async function workUntilDone (
  words: string[],
  onStart: (worker: ChildProcess, key: string) => void = () => {},
  env: Record<string, string> = {}
): Promise<End> {
  for (;;) {
    const key = crypto.randomUUID()
    const worker = spawn(
      process.execPath,
      ['--import', 'tsx', '--import', './test/bulk/poison.ts', 'src/cli/main.ts', 'bulk', ...words],
      {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: '/nowhere', LAVIT_KEY: key, ...env },
        stdio: ['ignore', 'ignore', 'pipe']
      }
    )
    onStart(worker, `Bearer ${key}`)
    const [stderr, [code, signal]] = await Promise.all([text(worker.stderr), once(worker, 'close')])
    if (signal === null) return { code, stderr }
  }
}

/** Kills each worker at one of its first requests, drawn at random, or a moment later, as long as kills are left. */
export function createKiller (kills: number, seed: number) {
  const draw = createRandom(seed, 'selection').uniform
  const lives = new Map<string, { worker: ChildProcess; requests: number }>() // left to each
  let killed = 0
  return {
    killed: () => killed,
    onStart (worker: ChildProcess, key: string) {
      lives.set(key, { worker, requests: 6 + Math.floor(draw() * 80) })
    },
    onAsked (key: string) {
      const life = lives.get(key)
      if (life === undefined || --life.requests > 0) return
      lives.delete(key)
      setTimeout(() => {
        if (killed < kills && life.worker.kill('SIGKILL')) killed++
      }, draw() * 20)
    }
  }
}

/** Everything that a job has made, but for how long it took. */
export function bytesOf (out: string) {
  return readdirSync(join(out, 'shards')).sort().map(shard =>
    readdirSync(join(out, 'shards', shard)).sort().map(name => {
      const bytes = readFileSync(join(out, 'shards', shard, name), 'latin1')
      return [shard, name, name === 'stats.json' ? bytes.replace(/"seconds":[\d.]+/, '') : bytes]
    })
  )
}
