// covers: src/graphs/kv-store.ts src/graphs/memory-store.ts
import fc from 'fast-check'
import t from 'tap'
import { createKvCache, type KvCache, type Slot } from '../../src/engine/kv-cache.ts'
import { hidden } from '../../src/graphs/kv-store.ts'
import type { CacheView, NewTokens, Step } from '../../src/graphs/language-model.ts'
import { createMemoryStore } from '../../src/graphs/memory-store.ts'

const shape = { rows: 4, layers: 2, kvHeads: 2, headDim: 3, hiddenSize: 1, maxLength: 6, leastPlaces: 2 }

type Tried = KvCache & { seen: () => CacheView }

/** A cache that reads with a model which gives what `stepOf` says, and the last view that this was shown. */
function createTried (overrides: Partial<typeof shape> = {}, stepOf = stepOfTokens): Tried {
  let seen: CacheView | undefined
  const run = async ({ count, tokenIds }: NewTokens, view: CacheView): Promise<Step> => {
    seen = view
    const rows = Array.from({ length: view.rows }, (_, b) => tokenIds.slice(b * count, (b + 1) * count))
    return { states: new Float32Array(view.rows), ...stepOf(rows) }
  }
  return { ...createKvCache(createMemoryStore({ ...shape, ...overrides }, { run }), shape.rows), seen: () => seen! }
}

function tokensIn (rows: number[][]): NewTokens {
  return { count: rows[0]!.length, tokenIds: rows.flat(), positions: rows.flat() }
}

/** The step that writes these tokens: every key and value names its token, layer, head and dimension. */
function stepOfTokens (tokens: number[][]) {
  const layersOf = (
    value: (b: number, head: number, dim: number, place: number, layer: number) => number,
    keyLayout: boolean
  ) =>
    [0, 1].map(layer =>
      Float32Array.from(
        tokens.flatMap((_, b) =>
          [0, 1].flatMap(head =>
            keyLayout
              ? [0, 1, 2].flatMap(dim => tokens[b]!.map((_, place) => value(b, head, dim, place, layer)))
              : tokens[b]!.flatMap((_, place) => [0, 1, 2].map(dim => value(b, head, dim, place, layer)))
          )
        )
      )
    )
  const named = (b: number, head: number, dim: number, place: number, layer: number) =>
    tokens[b]![place]! * 100 + layer * 10 + head * 3 + dim
  return { newKeys: layersOf(named, true), newValues: layersOf((...place) => -named(...place), false) }
}

/** What a slot holds, read through a view as the graph would. */
async function tokensOf (cache: Tried, slot: Slot): Promise<number[]> {
  await cache.read(tokensIn([[0]]), { first: slot.row, count: 1 }, [slot], [0])
  const { bias, keys, values, places } = cache.seen()
  const tokens: number[] = []
  for (let p = 0; p < places; p++) {
    if (bias[p] !== 0) continue
    const token = Math.round(keys[0]![p]! / 100)
    for (let layer = 0; layer < 2; layer++) {
      for (let head = 0; head < 2; head++) {
        for (let dim = 0; dim < 3; dim++) {
          const expected = token * 100 + layer * 10 + head * 3 + dim
          if (keys[layer]![(head * 3 + dim) * places + p] !== expected) throw new Error(`key of place ${p}`)
          if (values[layer]![(head * places + p) * 3 + dim] !== -expected) throw new Error(`value of place ${p}`)
        }
      }
    }
    tokens.push(token)
  }
  return tokens
}

type Owned = { slot: Slot; tokens: number[]; isDecoding: boolean }
type Model = { owned: Owned[]; next: number }

async function check (model: Model, cache: Tried): Promise<void> {
  if (cache.inUse() !== model.owned.length) throw new Error('slots in use')
  const rows = model.owned.map(({ slot }) => slot.row).sort()
  if (rows.some((row, i) => row !== i)) throw new Error('rows are not packed')
  if (cache.decoding() !== model.owned.filter(({ isDecoding }) => isDecoding).length) throw new Error('decode batch')
  for (const { slot, tokens, isDecoding } of model.owned) {
    if (isDecoding !== (slot.row < cache.decoding())) throw new Error('decoding rows are not a prefix')
    const held = await tokensOf(cache, slot)
    if (held.join() !== tokens.join()) throw new Error(`holds ${held.join()} instead of ${tokens.join()}`)
  }
}

function command (
  name: string,
  isPossible: (model: Readonly<Model>) => boolean,
  act: (model: Model, cache: Tried) => void | Promise<void>
): fc.AsyncCommand<Model, Tried> {
  return {
    check: isPossible,
    async run (model, cache) {
      await act(model, cache)
      await check(model, cache)
    },
    toString: () => name
  }
}

async function refuses (action: () => unknown): Promise<void> {
  try {
    await action()
  } catch {
    return
  }
  throw new Error('was not refused')
}

const some = (model: Model) => model.owned.length > 0
const pick = (model: Model, i: number) => model.owned[i % model.owned.length]!
const commands = [
  fc.constant(
    command(
      'allocate',
      () => true,
      (model, cache) => {
        if (model.owned.length === 4) return refuses(() => cache.allocate())
        model.owned.push({ slot: cache.allocate(), tokens: [], isDecoding: false })
      }
    )
  ),
  fc.nat(3).map(i =>
    command(`activate ${i}`, some, (model, cache) => {
      const owned = pick(model, i)
      cache.activate(owned.slot)
      owned.isDecoding = true
    })
  ),
  fc.nat(3).map(i =>
    command(`release ${i}`, some, async (model, cache) => {
      const owned = pick(model, i)
      cache.release(owned.slot)
      await refuses(() => cache.release(owned.slot))
      model.owned = model.owned.filter(other => other !== owned)
    })
  ),
  fc.tuple(fc.nat(3), fc.nat(3)).map(([i, j]) =>
    command(`copy ${i} to ${j}`, some, (model, cache) => {
      const [from, to] = [pick(model, i), pick(model, j)]
      const other = from.tokens.findIndex((token, i) => token !== to.tokens[i])
      cache.copy(from.slot, to.slot, other === -1 ? from.tokens.length : other)
      to.tokens = [...from.tokens]
    })
  ),
  fc.nat(3).map(i =>
    command(`begin as ${i}`, model => some(model) && model.owned.length < 4, (model, cache) => {
      const { slot: from, tokens } = pick(model, i)
      const saved = cache.save(from)
      if (saved === undefined) throw new Error('was not saved')
      const slot = cache.allocate()
      cache.restore(slot, saved)
      model.owned.push({ slot, tokens: [...tokens], isDecoding: false })
    })
  ),
  fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 })).map(([i, count]) =>
    command(`prefill ${count} into ${i}`, some, async (model, cache) => {
      const owned = pick(model, i)
      const tokens = Array.from({ length: count }, () => ++model.next)
      if (owned.tokens.length + count > 6) {
        return refuses(() => cache.read(tokensIn([[0, ...tokens]]), undefined, [owned.slot], [count]))
      }
      await cache.read(tokensIn([[0, ...tokens]]), undefined, [owned.slot], [count])
      owned.tokens.push(...tokens)
    })
  ),
  fc.constant(
    command(
      'decode',
      ({ owned }) => owned.some(({ isDecoding }) => isDecoding) && owned.every(({ tokens }) => tokens.length < 6),
      async (model, cache) => {
        const decoding = model.owned.filter(({ isDecoding }) => isDecoding).sort((a, b) => a.slot.row - b.slot.row)
        const tokens = decoding.map(() => [++model.next])
        await cache.read(
          tokensIn(tokens),
          { first: 0, count: decoding.length },
          decoding.map(({ slot }) => slot),
          tokens.map(() => 1)
        )
        for (const [b, { tokens: held }] of decoding.entries()) held.push(...tokens[b]!)
      }
    )
  )
]

t.test('every slot keeps its own keys and values, whatever moves around it', async t => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async sequence => {
      await fc.asyncModelRun(() => ({ model: { owned: [], next: 0 }, real: createTried() }), sequence)
    }),
    { numRuns: 1000 }
  )
  t.pass()
})

t.test('a view is a window on the slab, not a copy', async t => {
  const cache = createTried({ leastPlaces: 6 })
  const [first, second] = [cache.allocate(), cache.allocate()]
  await cache.read(tokensIn([[0], [0]]), { first: 0, count: 2 }, [first, second], [0, 0])
  const both = cache.seen()
  await cache.read(tokensIn([[1], [2]]), { first: 0, count: 2 }, [first, second], [1, 1])
  await cache.read(tokensIn([[0]]), { first: 1, count: 1 }, [second], [0])
  t.equal(both.keys[0]!.buffer, cache.seen().keys[0]!.buffer)
  t.equal(both.keys[1]![2 * 3 * 6], 210)
  const row = [0, hidden, hidden, hidden, hidden, hidden]
  t.strictSame(Array.from(both.bias), [...row, ...row])
})

t.test('numbers that would outlive their sequence are not kept', async t => {
  const broken = [0, 1].map(() => Float32Array.of(NaN, Infinity, -Infinity, 1, 2, 3))
  const cache = createTried({}, () => ({ newKeys: broken, newValues: broken }))
  const slot = cache.allocate()
  await cache.read(tokensIn([[0]]), undefined, [slot], [1])
  await cache.read(tokensIn([[0]]), { first: 0, count: 1 }, [slot], [0])
  t.strictSame(Array.from(cache.seen().values[0]!.subarray(0, 3)), [0, 0, 0])
  t.ok(cache.seen().keys[1]!.every(Number.isFinite))
})
