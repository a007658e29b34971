/** The cache on the device, where the device keeps it as the host's memory does; else the reason why not. */
import { createPick, type DeviceMemory } from '../graphs/device-memory.ts'
import { openDeviceStore } from '../graphs/device-store.ts'
import type { Pick } from '../graphs/heads.ts'
import type { KvStore, KvStoreShape } from '../graphs/kv-store.ts'
import type { LanguageModel } from '../graphs/language-model.ts'
import { createMemoryStore } from '../graphs/memory-store.ts'
import type { Session } from '../graphs/session.ts'
import { causesOf } from './failure.ts'
import { layOutChunks } from './stations/chunks.ts'
import { tokensAtOnce } from './stations/pieces.ts'

export type DeviceCache = { store: KvStore; pick: Pick } | { fault: string }

const triedRows = 3
const triedPlaces = 8
const near = 0.02 // of the largest value

/** `session` runs the language model on the device; `languageModel` is the same, fed by the host. */
export async function openDeviceCache (
  shape: KvStoreShape,
  session: Session,
  languageModel: LanguageModel,
  openMemory: () => Promise<DeviceMemory>
): Promise<DeviceCache> {
  let memory: DeviceMemory | undefined
  try {
    memory = await openMemory()
    const expected = await tryStore(createMemoryStore({ ...shape, rows: triedRows }, languageModel), shape.hiddenSize)
    const room = Math.max(tokensAtOnce, shape.rows)
    const store = await openDeviceStore({ ...shape, tokensAtOnce: room }, session, memory)
    const states = await tryStore(store, shape.hiddenSize)
    if (!areNear(states, expected)) throw new Error('what graphs write in place is not what they then read')
    return { store, pick: await createPick(memory, shape.rows, shape.hiddenSize) }
  } catch (error) {
    await memory?.release()
    return { fault: causesOf(error) }
  }
}

/** Reads, moves and forks a few rows, and leaves them empty. Gives all states on the way. */
async function tryStore (store: KvStore, hiddenSize: number): Promise<Float32Array[]> {
  const states: Float32Array[] = []
  const rows = Array.from({ length: triedRows }, (_, row) => row)
  const lengths = [3, 2, 4] // of the prompts
  await read(rows, (row, i) => row + i, row => lengths[row] ?? 1, false)
  await read(rows, row => row + 5, () => 1, true)
  store.copyRow(0, 1)
  store.swapRows(1, 2)
  await read(rows, row => row + 2, () => 1, true)
  await read([2], () => 7, () => 1, true)
  for (const row of rows) store.clearRow(row)
  return states

  /** Always a few tokens wide, so that the states come to the host. */
  async function read (
    to: number[],
    tokenOf: (row: number, i: number) => number,
    countOf: (row: number) => number,
    isFurther: boolean
  ): Promise<void> {
    const chunks = to.map(row => {
      const done = isFurther ? store.lengthOf(row) : 0
      const tokenIds = Array.from({ length: done + countOf(row) }, (_, i) => tokenOf(row, i))
      return { prompt: { tokenIds, places: [], embeddings: new Float32Array() }, done, length: countOf(row) }
    })
    const tokens = layOutChunks(chunks, triedPlaces, hiddenSize)
    const past = isFurther ? { first: to[0] ?? 0, count: to.length } : undefined
    for (const state of await store.read(tokens, past, to, to.map(countOf))) {
      if (state instanceof Float32Array) states.push(state.slice())
    }
  }
}

function areNear (states: Float32Array[], expected: Float32Array[]): boolean {
  const [all, others] = [states, expected].map(each => each.flatMap(state => Array.from(state)))
  if (all === undefined || others === undefined || all.length !== others.length) return false
  const largest = others.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return all.every((value, i) => Math.abs(value - (others[i] ?? 0)) <= near * largest + 1e-6)
}
