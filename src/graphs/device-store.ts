/**
 * Keys and values in memory of the device, which graphs write in place. Rows that move are only noted, and moved all at
 * once before the next read.
 */
import { appendGraph, isKeys, moveGraph, newName, slabNames, takeGraph } from './device-graphs.ts'
import { hidden, type KvStore, type KvStoreShape, type Past, type State } from './kv-store.ts'
import { tokenInputs, type NewTokens } from './language-model.ts'
import type { DeviceMemory } from './device-memory.ts'
import { sizeOf, view, type DeviceTensor, type Session, type Value } from './session.ts'

type Tensors = Record<string, DeviceTensor>

const bias = 'cache_bias'

/** `tokensAtOnce` is the most that one read brings, of all rows. */
export async function openDeviceStore (
  { rows, tokensAtOnce, ...shape }: KvStoreShape & { tokensAtOnce: number },
  languageModel: Session,
  memory: DeviceMemory
): Promise<KvStore> {
  const { layers, kvHeads, headDim, hiddenSize, maxLength } = shape
  const spare = rows // takes what is written for tokens that only fill up
  const names = [bias, ...slabNames(layers)]
  const width = (name: string) => (name === bias ? maxLength : kvHeads * headDim * maxLength) // numbers of a row
  const slabs = await tensors(names, name => [rows + 1, width(name)])
  const taken = await tensors(names, name => [1, width(name)]) // a row that is read alone
  const fresh = await tensors(slabNames(layers), () => [tokensAtOnce, kvHeads * headDim])
  const states = await memory.zeros([rows, hiddenSize])
  const nothing = await memory.zeros([tokensAtOnce, kvHeads * headDim])
  const append = await memory.open(appendGraph(shape))
  const move = await memory.open(moveGraph(shape))
  const take = await memory.open(takeGraph(shape))
  const lengths = new Array<number>(rows).fill(0) // written places of each row
  const origins = lengths.map((_, row) => row) // where the content of each row lies until the next move
  const views = new Map<DeviceTensor, Map<string, DeviceTensor>>()

  return {
    lengthOf: row => lengths[row] ?? 0,
    copyRow (from, to) {
      origins[to] = origins[from] ?? from
      lengths[to] = lengths[from] ?? 0
    },
    swapRows (a, b) {
      swap(origins, a, b)
      swap(lengths, a, b)
    },
    clearRow (row) {
      origins[row] = row
      lengths[row] = 0
    },
    read
  }

  async function read (tokens: NewTokens, past: Past | undefined, to: number[], counts: number[]): Promise<State[]> {
    const before = to.map(row => lengths[row] ?? 0)
    const after = before.map((length, b) => length + (counts[b] ?? 0))
    if (Math.max(...after) > maxLength) throw new Error('the sequence is longer than the cache')
    if (to.length * tokens.count > tokensAtOnce) throw new Error('more tokens than are read at once')
    await flush()
    const inputs = { ...tokenInputs(tokens, to.length, hiddenSize, true), ...(await seen(past, to.length)) }
    const news = newTensors(to.length, tokens.count)
    const isStep = tokens.count === 1
    const last = isStep ? viewOf(states, [to.length, hiddenSize]) : null
    const outputs = await languageModel.run(inputs, { states: last, ...news })
    await append.run(
      { ...offsets(to, before, after, counts, tokens.count), ...flat(), ...news },
      present(flat())
    )
    for (const [b, row] of to.entries()) lengths[row] = after[b] ?? 0
    if (last) return to.map((_, row) => ({ tensor: last, row }))
    const data = outputs.states?.data
    if (!(data instanceof Float32Array)) throw new Error('the graph has no float32 output states')
    return to.map((_, b) => data.subarray(b * hiddenSize, (b + 1) * hiddenSize))
  }

  async function flush (): Promise<void> {
    const moved = [...origins.keys()].filter(row => origins[row] !== row)
    if (moved.length === 0) return
    const origin = Int32Array.from(moved, row => origins[row] ?? row)
    const from: Value = { type: 'int32', data: origin, dims: [moved.length] }
    const to: Value = { type: 'int64', data: BigInt64Array.from(moved, BigInt), dims: [moved.length, 1] }
    const all = byRow(rows + 1)
    await move.run({ from, to, ...all }, present(all))
    for (const row of moved) origins[row] = row
  }

  /** What new tokens see: the first rows as they lie, another one as a copy, or one hidden place each. */
  async function seen (past: Past | undefined, count: number): Promise<Record<string, Value>> {
    if (past === undefined) {
      const bias: Value = { type: 'float32', data: new Float32Array(count).fill(hidden), dims: [count, 1] }
      return { cache_bias: bias, ...layered(() => nothing, count, 1) }
    }
    if (past.first === 0) return layered(name => slabs[name], past.count, maxLength)
    if (past.count > 1) throw new Error('only the first rows are read together')
    const from: Value = { type: 'int32', data: Int32Array.of(past.first), dims: [1] }
    await take.run({ from, ...byRow(rows + 1) }, present(taken))
    return layered(name => taken[name], 1, maxLength)
  }

  function layered (of: (name: string) => DeviceTensor | undefined, count: number, places: number): Tensors {
    const found: Tensors = {}
    for (const name of names) {
      const tensor = of(name)
      if (tensor === undefined || (name === bias && tensor === nothing)) continue
      const dims = isKeys(name) ? [kvHeads, headDim, places] : [kvHeads, places, headDim]
      found[name] = viewOf(tensor, name === bias ? [count, places] : [count, ...dims])
    }
    return found
  }

  function newTensors (count: number, tokens: number): Tensors {
    const found: Tensors = {}
    for (const [name, tensor] of Object.entries(fresh)) {
      const dims = isKeys(name) ? [count, kvHeads, headDim, tokens] : [count, kvHeads, tokens, headDim]
      found[newName(name)] = viewOf(tensor, dims)
    }
    return found
  }

  /** Where each token goes: the last `counts[b]` of row b behind those of its row, the others into the spare row. */
  function offsets (
    to: number[],
    before: number[],
    after: number[],
    counts: number[],
    tokens: number
  ): Record<string, Value> {
    const [keys, values] = [new Int32Array(to.length * tokens), new Int32Array(to.length * tokens)]
    const stride = kvHeads * headDim * maxLength
    for (const [b, row] of to.entries()) {
      const first = tokens - (counts[b] ?? 0)
      for (let i = 0; i < tokens; i++) {
        const place = i < first ? 0 : (before[b] ?? 0) + i - first
        const start = (i < first ? spare : row) * stride
        keys[b * tokens + i] = start + place
        values[b * tokens + i] = start + place * headDim
      }
    }
    const dims = [to.length, 1]
    return {
      key_offsets: { type: 'int32', data: keys, dims: [to.length, 1, 1, tokens] },
      value_offsets: { type: 'int32', data: values, dims: [to.length, 1, tokens, 1] },
      bias_offsets: { type: 'int32', data: Int32Array.from(to, row => row * maxLength), dims },
      lengths: { type: 'float32', data: Float32Array.from(after), dims }
    }
  }

  function flat (): Tensors {
    return mapped(slabs, slab => viewOf(slab, [sizeOf(slab.dims)]))
  }

  function byRow (count: number): Tensors {
    return mapped(slabs, slab => viewOf(slab, [count, sizeOf(slab.dims) / (rows + 1)]))
  }

  async function tensors (which: string[], dimsOf: (name: string) => number[]): Promise<Tensors> {
    const made: Tensors = {}
    for (const name of which) made[name] = await memory.zeros(dimsOf(name))
    return made
  }

  /** Made once: views of the same dims are asked for again and again. */
  function viewOf (tensor: DeviceTensor, dims: number[]): DeviceTensor {
    const known = views.get(tensor) ?? new Map<string, DeviceTensor>()
    views.set(tensor, known)
    const key = dims.join()
    const found = known.get(key) ?? view(tensor, dims)
    known.set(key, found)
    return found
  }
}

function mapped (tensors: Tensors, of: (tensor: DeviceTensor) => DeviceTensor): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, of(tensor)]))
}

/** A graph writes where these lie. */
function present (tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`present.${name}`, tensor]))
}

function swap (values: number[], a: number, b: number): void {
  const [one, other] = [values[a], values[b]]
  if (one === undefined || other === undefined) throw new Error(`no row ${a} or ${b}`)
  values[a] = other
  values[b] = one
}
