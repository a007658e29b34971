/** Keys and values on a real device, against the processor. `LAVIT_TEST_DEVICE=webgpu` says that there is one. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openDeviceCache } from '../../src/engine/device-cache.ts'
import { storeShapeOf } from '../../src/engine/device.ts'
import { createKvCache, type KvCache, type Slot } from '../../src/engine/kv-cache.ts'
import { layOutChunks } from '../../src/engine/stations/chunks.ts'
import { createBus } from '../../src/graphs/bus.ts'
import { openDeviceMemory } from '../../src/graphs/device-memory.ts'
import { createHeads, type Heads } from '../../src/graphs/heads.ts'
import { createLanguageModel } from '../../src/graphs/language-model.ts'
import { createMemoryStore } from '../../src/graphs/memory-store.ts'
import { openSession } from '../../src/graphs/session.ts'
import type { Manifest } from '../../src/package/manifest.ts'

const isThere = process.env.LAVIT_TEST_DEVICE === 'webgpu'
const skip = isThere ? false : 'no device: LAVIT_TEST_DEVICE is not webgpu'
const folder = fileURLToPath(new URL('../../models/lavit-mini/', import.meta.url))
const manifest: Manifest = JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8'))
const shape = storeShapeOf(manifest, 4)
const chunkLength = 64

type Run = { cache: KvCache; heads: Heads }

type Name = 'language_model' | 'text_head' | 'visual_head'

function fileOf (name: Name, device: 'cpu' | 'webgpu'): string {
  const { file, device: onDevice } = manifest.graphs[name]
  return device !== 'cpu' && typeof onDevice === 'object' ? onDevice.file : file
}

async function openOn (device: 'cpu' | 'webgpu', bus = createBus()): Promise<Run> {
  const open = (name: Name) =>
    openSession(folder + fileOf(name, device), { device, threads: 1, ...(device === 'webgpu' && { bus }) })
  const session = await open('language_model')
  const languageModel = createLanguageModel(session, manifest)
  const heads = { text: await open('text_head'), visual: await open('visual_head') }
  if (device === 'cpu') {
    const cache = createKvCache(createMemoryStore(shape, languageModel), shape.rows)
    return { cache, heads: createHeads(heads, manifest) }
  }
  const openMemory = () => openDeviceMemory({ device, threads: 1, bus })
  const opened = await openDeviceCache(shape, session, languageModel, openMemory)
  if (!('store' in opened)) throw new Error(opened.fault)
  return { cache: createKvCache(opened.store, shape.rows), heads: createHeads(heads, manifest, opened.pick) }
}

/** `gap`: how far its token's score lies below the best one. */
type Row = { slot: Slot; tokenId: number; gap: number }

const near = 0.1 // of scores, which rounded activations move: as good as the best

/** Rows of prompts of these lengths, in the decode batch. `told` are the tokens to go on with in place of the best. */
async function prefill ({ cache, heads }: Run, lengths: number[], told?: number[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const [i, length] of lengths.entries()) {
    const tokenIds = Array.from({ length }, (_, j) => 3 + ((i * 101 + j * 37) % 3000))
    const prompt = { tokenIds, places: [], embeddings: new Float32Array() }
    const slot = cache.allocate()
    for (let done = 0; done < length; done += chunkLength) {
      const chunk = { prompt, done, length: Math.min(chunkLength, length - done) }
      const tokens = layOutChunks([chunk], Math.ceil(chunk.length / 8) * 8, shape.hiddenSize)
      const past = done === 0 ? undefined : { first: slot.row, count: 1 }
      const states = await cache.read(tokens, past, [slot], [chunk.length])
      const [scores] = await heads.words(states)
      rows[i] = { slot, ...drawn(scores, told?.[i]) }
    }
  }
  for (const { slot } of rows) cache.activate(slot)
  return rows
}

/** One token further. */
async function step ({ cache, heads }: Run, rows: Row[], told?: number[]): Promise<void> {
  const fed = [...rows].sort((a, b) => a.slot.row - b.slot.row)
  const tokenIds = fed.map(({ tokenId }) => tokenId)
  const tokens = { count: 1, tokenIds, positions: fed.map(({ slot }) => slot.length) }
  const slots = fed.map(({ slot }) => slot)
  const states = await cache.read(tokens, { first: 0, count: fed.length }, slots, slots.map(() => 1))
  const scores = await heads.words(states)
  for (const [i, row] of rows.entries()) Object.assign(row, drawn(scores[fed.indexOf(row)], told?.[i]))
}

function drawn (scores: Float32Array | undefined, told?: number): Pick<Row, 'tokenId' | 'gap'> {
  if (!scores) throw new Error('there are no scores')
  const most = scores.reduce((most, score, id) => (id < 3 ? most : Math.max(most, score)), -Infinity)
  const tokenId = told ?? scores.indexOf(most, 3)
  return { tokenId, gap: most - (scores[tokenId] ?? NaN) }
}

/**
 * Four rows for 20 steps: one goes after 10, and the others close its gap; one is forked after 14. Tokens and gaps by
 * step and row.
 */
async function story (run: Run, told?: number[][]): Promise<{ tokens: number[][]; gaps: number[] }> {
  let rows = await prefill(run, [9, 23, 3, 100], told?.[0])
  const tokens = [rows.map(({ tokenId }) => tokenId)]
  const gaps = rows.map(({ gap }) => gap)
  for (let i = 0; i < 20; i++) {
    if (i === 10) {
      const [first, gone, ...others] = rows
      if (!first || !gone) throw new Error('there are four rows')
      run.cache.release(gone.slot)
      rows = [first, ...others]
    }
    if (i === 14) {
      const [first] = rows
      if (!first) throw new Error('there are three rows')
      const fork = { slot: run.cache.allocate(), tokenId: 7, gap: 0 }
      run.cache.copy(first.slot, fork.slot)
      run.cache.activate(fork.slot)
      rows.push(fork)
    }
    await step(run, rows, told?.[i + 1])
    tokens.push(rows.map(({ tokenId }) => tokenId))
    gaps.push(...rows.map(({ gap }) => gap))
  }
  for (const { slot } of rows) run.cache.release(slot)
  return { tokens, gaps }
}

t.test('the tokens of the processor are as good as the best, row for row', { skip }, async t => {
  const processor = await openOn('cpu')
  const { tokens } = await story(processor)
  const { gaps } = await story(await openOn('webgpu'), tokens)
  t.equal(gaps.length, 4 + 4 * 16 + 3 * 4)
  t.ok(Math.max(...gaps) < near, `${Math.max(...gaps)} below the best`)

  const swapped = tokens.map(([first = 0, second = 0, ...others]) => [second, first, ...others])
  const mistaken = await story(processor, swapped)
  t.ok(Math.max(...mistaken.gaps) > 10 * near, 'those of another row are not')
})

t.test('a step of four rows sends little, and its candidates are few', { skip }, async t => {
  const bus = createBus()
  const run = await openOn('webgpu', bus)
  const rows = await prefill(run, [9, 23, 3, 41])
  const slots = rows.map(({ slot }) => slot).sort((a, b) => a.row - b.row)
  const tokens = { count: 1, tokenIds: [5, 6, 7, 8], positions: slots.map(({ length }) => length) }
  const before = bus.counts()
  const states = await run.cache.read(tokens, { first: 0, count: 4 }, slots, [1, 1, 1, 1])
  const guided = { guidanceScale: 2, mayEnd: true, maySkip: false }
  await run.heads.candidates(states, [
    { conditional: 0, unconditional: 1, ...guided },
    { conditional: 2, unconditional: 3, ...guided }
  ])
  const after = bus.counts()
  t.ok(after.up - before.up < 5000, `${after.up - before.up} bytes up`)
  t.ok(after.down - before.down < 2000, `${after.down - before.down} bytes down`)
})

t.test('no buffer is added while it works', { skip }, async t => {
  const bus = createBus()
  const run = await openOn('webgpu', bus)
  await story(run)
  const { buffers, held } = bus.counts()
  for (let i = 0; i < 4; i++) await story(run)
  t.match(bus.counts(), { buffers, held })
  t.ok(buffers > 0)
})
