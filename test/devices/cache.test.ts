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

type Row = { slot: Slot; tokenId: number }

/** Rows of prompts of these lengths, in the decode batch. */
async function prefill ({ cache, heads }: Run, lengths: number[]): Promise<Row[]> {
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
      rows[i] = { slot, tokenId: best(scores) }
    }
  }
  for (const { slot } of rows) cache.activate(slot)
  return rows
}

/** One token further. Gives the tokens drawn, in the order of the rows that were given. */
async function step ({ cache, heads }: Run, rows: Row[]): Promise<number[]> {
  const fed = [...rows].sort((a, b) => a.slot.row - b.slot.row)
  const tokenIds = fed.map(({ tokenId }) => tokenId)
  const tokens = { count: 1, tokenIds, positions: fed.map(({ slot }) => slot.length) }
  const slots = fed.map(({ slot }) => slot)
  const states = await cache.read(tokens, { first: 0, count: fed.length }, slots, slots.map(() => 1))
  const scores = await heads.words(states)
  for (const [i, row] of fed.entries()) row.tokenId = best(scores[i])
  return rows.map(({ tokenId }) => tokenId)
}

function best (scores: Float32Array | undefined): number {
  if (!scores) throw new Error('there are no scores')
  return scores.indexOf(scores.reduce((most, score, id) => (id < 3 ? most : Math.max(most, score)), -Infinity), 3)
}

/** Four rows for 20 steps: one goes after 10, and the others close its gap; one is forked after 14. */
async function story (run: Run): Promise<number[][]> {
  const drawn: number[][] = []
  let rows = await prefill(run, [9, 23, 3, 100])
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
      const fork = { slot: run.cache.allocate(), tokenId: 7 }
      run.cache.copy(first.slot, fork.slot)
      run.cache.activate(fork.slot)
      rows.push(fork)
    }
    drawn.push(await step(run, rows))
  }
  for (const { slot } of rows) run.cache.release(slot)
  return drawn
}

t.test('tokens are those of the processor, row for row', { skip }, async t => {
  const [expected, found] = [await story(await openOn('cpu')), await story(await openOn('webgpu'))]
  t.equal(expected.flat().length, 4 * 16 + 3 * 4)
  t.strictSame(found, expected)
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
