// covers: src/graphs/device-graphs.ts src/graphs/device-memory.ts src/graphs/onnx.ts src/graphs/bus.ts
import t from 'tap'
import { storeShapeOf } from '../../src/engine/device.ts'
import { createKvCache, type Slot } from '../../src/engine/kv-cache.ts'
import { layOutChunks } from '../../src/engine/stations/chunks.ts'
import { createBus } from '../../src/graphs/bus.ts'
import { createPick } from '../../src/graphs/device-memory.ts'
import { openDeviceStore } from '../../src/graphs/device-store.ts'
import type { State } from '../../src/graphs/kv-store.ts'
import { createLanguageModel } from '../../src/graphs/language-model.ts'
import { createMemoryStore } from '../../src/graphs/memory-store.ts'
import type { Session, Value } from '../../src/graphs/session.ts'
import { manifest, open } from '../parity/fixtures/recorded.ts'
import { numbersOf, onPretended, pretendedMemory } from './fixtures/pretended-memory.ts'

const shape = { ...storeShapeOf(manifest, 1), rows: 5, maxLength: 24 }
const graph = await open('language_model')
const languageModel = createLanguageModel(graph, manifest)
t.teardown(() => graph.release())

async function openBoth () {
  const { memory, runs } = pretendedMemory()
  const device = await openDeviceStore({ ...shape, tokensAtOnce: 64 }, onPretended(graph), memory)
  return { memory, runs, device, host: createMemoryStore(shape, languageModel) }
}

const numbers = (state: State): Float32Array =>
  state instanceof Float32Array
    ? state
    : numbersOf(state.tensor).slice(state.row * shape.hiddenSize, (state.row + 1) * shape.hiddenSize)

function gap (states: State[], expected: State[]): number {
  if (states.length !== expected.length) return Infinity
  return Math.max(
    ...states.map((state, i) => {
      const other = numbers(expected[i]!)
      return Math.max(...numbers(state).map((value, j) => Math.abs(value - other[j]!)))
    })
  )
}

const promptOf = (length: number, first: number) => ({
  tokenIds: Array.from({ length }, (_, i) => 3 + ((first * 37 + i * 11) % 900)),
  places: [],
  embeddings: new Float32Array()
})

/** Reads, activates, releases, forks and decodes by chance, on a store, always the same for a seed. */
async function story (store: Awaited<ReturnType<typeof openBoth>>['device'], seed: number): Promise<State[]> {
  const cache = createKvCache(store, shape.rows)
  const states: State[] = []
  const slots: Slot[] = []
  const active = () => slots.filter(({ row }) => row < cache.decoding()).sort((a, b) => a.row - b.row)
  let state = seed
  const random = (below: number) => (state = (state * 1103515245 + 12345) % 2 ** 31) % below
  const keep = (given: State[]) => states.push(...given.map(each => numbers(each).slice()))
  for (let step = 0; step < 60; step++) {
    const some = slots[random(Math.max(1, slots.length))]
    const act = random(7)
    if (act === 0 && slots.length < shape.rows) {
      const slot = cache.allocate()
      slots.push(slot)
      const prompt = promptOf(9, step)
      const chunk = { prompt, done: 0, length: 5 }
      keep(await cache.read(layOutChunks([chunk], 8, shape.hiddenSize), undefined, [slot], [5]))
      const rest = { prompt, done: 5, length: 4 }
      keep(await cache.read(layOutChunks([rest], 8, shape.hiddenSize), { first: slot.row, count: 1 }, [slot], [4]))
    } else if (act === 1 && some) {
      cache.activate(some)
    } else if (act === 2 && some && slots.length > 2) {
      cache.release(some)
      slots.splice(slots.indexOf(some), 1)
    } else if (act === 3 && some) {
      cache.copy(some, slots[random(slots.length)]!)
    } else if (active().length > 0 && active().every(({ length }) => length < shape.maxLength)) {
      const rows = active()
      const positions = rows.map(({ length }) => length)
      const tokens = { count: 1, tokenIds: rows.map(() => 3 + random(900)), positions }
      keep(await cache.read(tokens, { first: 0, count: rows.length }, rows, rows.map(() => 1)))
    }
  }
  return states
}

t.test('whatever moves around, states are those of the cache in memory', async t => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { device, host, memory } = await openBoth()
    const [states, expected] = [await story(device, seed), await story(host, seed)]
    t.ok(states.length > 10, `${states.length} states`)
    t.ok(gap(states, expected) < 1e-4, `seed ${seed}`)
    await memory.release()
  }
})

t.test('all moves since the last read are one run, and none is none', async t => {
  const { device, runs, memory } = await openBoth()
  t.teardown(() => memory.release())
  const rows = [0, 1, 2, 3]
  const chunks = rows.map(row => ({ prompt: promptOf(4, row), done: 0, length: 4 }))
  await device.read(layOutChunks(chunks, 8, shape.hiddenSize), undefined, rows, [4, 4, 4, 4])
  const step = { count: 1, tokenIds: [5, 6], positions: [4, 4] }
  const move = 1 // the second graph that is opened
  const before = runs[move]!
  device.swapRows(0, 3)
  device.copyRow(3, 1)
  device.copyRow(1, 2)
  device.clearRow(3)
  t.equal(runs[move], before, 'nothing moves yet')
  const [one, other] = await device.read(step, { first: 0, count: 2 }, [0, 1], [1, 1])
  t.equal(runs[move], before + 1)
  t.strictSame([0, 1, 2, 3].map(device.lengthOf), [5, 5, 4, 0])
  t.notSame(numbers(one!), numbers(other!))
  await device.read({ ...step, positions: [5, 5] }, { first: 0, count: 2 }, [0, 1], [1, 1])
  t.equal(runs[move], before + 1)
})

t.test('a row without room is refused, and nothing is written', async t => {
  const { device, memory } = await openBoth()
  t.teardown(() => memory.release())
  const chunk = { prompt: promptOf(24, 1), done: 0, length: 24 }
  await device.read(layOutChunks([chunk], 24, shape.hiddenSize), undefined, [0], [24])
  const step = { count: 1, tokenIds: [5], positions: [24] }
  await t.rejects(device.read(step, { first: 0, count: 1 }, [0], [1]), { message: /longer than the cache/ })
  t.equal(device.lengthOf(0), 24)
  await t.rejects(
    device.read(layOutChunks([0, 1, 2].map(() => chunk), 24, shape.hiddenSize), undefined, [1, 2, 3], [24, 24, 24]),
    { message: /more tokens/ }
  )
})

t.test('what would survive that a place is hidden is not kept', async t => {
  const { memory } = pretendedMemory()
  t.teardown(() => memory.release())
  let places: Float32Array[] = []
  const broken: Session = {
    ...graph,
    async run (inputs, outputs = {}) {
      places = Object.entries(inputs).flatMap(([name, value]) =>
        name.startsWith('cache_') && 'onDevice' in value ? [numbersOf(value)] : []
      )
      for (const place of Array.isArray(outputs) ? [] : Object.values(outputs)) {
        if (place && 'onDevice' in place) numbersOf(place).fill(NaN)
      }
      return { states: { data: new Float32Array(shape.hiddenSize), dims: [1, shape.hiddenSize] } }
    }
  }
  const store = await openDeviceStore({ ...shape, tokensAtOnce: 64 }, broken, memory)
  await store.read({ count: 1, tokenIds: [5], positions: [0] }, undefined, [0], [1])
  await store.read({ count: 1, tokenIds: [5], positions: [1] }, { first: 0, count: 1 }, [0], [1])
  t.ok(places.length > 2)
  t.ok(places.every(place => place.every(Number.isFinite)))
})

t.test('states of one tensor are put in any order, and taken as they lie where all are asked for', async t => {
  const { memory, runs } = pretendedMemory()
  t.teardown(() => memory.release())
  const pick = await createPick(memory, 4, 2)
  const tensor = await memory.zeros([3, 2])
  numbersOf(tensor).set([1, 2, 3, 4, 5, 6])
  t.equal(await pick([0, 1, 2].map(row => ({ tensor, row }))), tensor)
  t.equal(runs[0], 0)
  t.strictSame([...numbersOf(await pick([2, 0].map(row => ({ tensor, row }))))], [5, 6, 1, 2])
  await t.rejects(pick([{ tensor, row: 0 }, { tensor: await memory.zeros([3, 2]), row: 0 }]), { message: /several/ })
})

t.test('the bus counts what does not lie on the device', async t => {
  const { memory } = pretendedMemory()
  const bus = createBus()
  const inputs: Value[] = [
    { type: 'int64', data: BigInt64Array.of(1n, 2n), dims: [2] },
    { type: 'float32', data: Float32Array.of(1), dims: [1] },
    await memory.zeros([100])
  ]
  bus.count(inputs, [{ data: Float32Array.of(1, 2, 3), dims: [3] }])
  bus.hold(2, 80)
  bus.hold(-1, -30)
  t.strictSame(bus.counts(), { up: 20, down: 12, buffers: 1, held: 50 })
})
