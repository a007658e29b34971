/**
 * Tokens a second of llama.cpp, one line of JSON: `node run.js SIZES`, where SIZES are those of `gguf.js` as JSON and
 * `threads`, `prompt`, `tokens`, `rows` (a list) and `rounds`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getLlama } from 'node-llama-cpp'
import { randomDecoder } from './gguf.js'

const { threads, prompt, tokens, rows, rounds, ...sizes } = JSON.parse(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'decoder-'))
try {
  const file = join(folder, 'decoder.gguf')
  writeFileSync(file, randomDecoder(sizes))
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' })
  const model = await llama.loadModel({ modelPath: file })
  const results = []
  for (const count of rows) {
    const context = await model.createContext({ sequences: count, contextSize: sizes.places, threads })
    const sequences = Array.from({ length: count }, () => context.getSequence())
    const rates = []
    for (let round = 0; round <= rounds; round++) {
      const from = performance.now()
      await Promise.all(sequences.map(write))
      if (round > 0) rates.push((count * tokens) / ((performance.now() - from) / 1000)) // the first is the warm-up
      for (const sequence of sequences) await sequence.clearHistory()
    }
    results.push({ rows: count, rates })
    await context.dispose()
  }
  console.log(JSON.stringify(results))
} finally {
  rmSync(folder, { recursive: true })
}

async function write (sequence) {
  const ids = Array.from({ length: prompt }, (_, i) => 300 + i)
  const drawn = sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })
  for (let written = 0; written < tokens; written++) await drawn.next()
  await drawn.return()
}
