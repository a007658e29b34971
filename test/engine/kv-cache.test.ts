// covers: src/graphs/kv-store.ts
import fc from 'fast-check'
import t from 'tap'
import { createKvCache, type KvCache, type Slot } from '../../src/engine/kv-cache.ts'
import { hidden } from '../../src/graphs/kv-store.ts'

const shape = { slots: 4, layers: 2, kvHeads: 2, headDim: 3, maxLength: 6, leastPlaces: 2 }

/** The step that writes these tokens: every key and value names its token, layer, head and dimension. */
function stepOf (tokens: number[][]) {
  const count = tokens[0]!.length
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
  return { count, newKeys: layersOf(named, true), newValues: layersOf((...place) => -named(...place), false) }
}

/** What a slot holds, read through a view as the graph would. */
function tokensOf (cache: KvCache, { row }: Slot): number[] {
  const { bias, keys, values, places } = cache.view(row, 1)
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

function check (model: Model, cache: KvCache): void {
  if (cache.inUse() !== model.owned.length) throw new Error('slots in use')
  const rows = model.owned.map(({ slot }) => slot.row).sort()
  if (rows.some((row, i) => row !== i)) throw new Error('rows are not packed')
  if (cache.decoding() !== model.owned.filter(({ isDecoding }) => isDecoding).length) throw new Error('decode batch')
  for (const { slot, tokens, isDecoding } of model.owned) {
    if (isDecoding !== (slot.row < cache.decoding())) throw new Error('decoding rows are not a prefix')
    if (tokensOf(cache, slot).join() !== tokens.join()) {
      throw new Error(`holds ${tokensOf(cache, slot).join()} instead of ${tokens.join()}`)
    }
  }
}

function command (
  name: string,
  isPossible: (model: Model) => boolean,
  act: (model: Model, cache: KvCache) => void
): fc.Command<Model, KvCache> {
  return {
    check: isPossible,
    run (model, cache) {
      act(model, cache)
      check(model, cache)
    },
    toString: () => name
  }
}

function refuses (action: () => void): void {
  try {
    action()
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
    command(`release ${i}`, some, (model, cache) => {
      const owned = pick(model, i)
      cache.release(owned.slot)
      refuses(() => cache.release(owned.slot))
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
  fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 })).map(([i, count]) =>
    command(`prefill ${count} into ${i}`, some, (model, cache) => {
      const owned = pick(model, i)
      const tokens = Array.from({ length: count }, () => ++model.next)
      if (owned.tokens.length + count > 6) {
        return refuses(() => cache.append([owned.slot], stepOf([[0, ...tokens]]), [count], count + 1))
      }
      cache.append([owned.slot], stepOf([[0, ...tokens]]), [count], count + 1)
      owned.tokens.push(...tokens)
    })
  ),
  fc.constant(
    command(
      'decode',
      ({ owned }) => owned.some(({ isDecoding }) => isDecoding) && owned.every(({ tokens }) => tokens.length < 6),
      (model, cache) => {
        const decoding = model.owned.filter(({ isDecoding }) => isDecoding).sort((a, b) => a.slot.row - b.slot.row)
        const tokens = decoding.map(() => [++model.next])
        cache.append(
          decoding.map(({ slot }) => slot),
          stepOf(tokens),
          tokens.map(() => 1),
          1
        )
        for (const [b, { tokens: held }] of decoding.entries()) held.push(...tokens[b]!)
      }
    )
  )
]

t.test('every slot keeps its own keys and values, whatever moves around it', async t => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 40 }), sequence => {
      fc.modelRun(() => ({ model: { owned: [], next: 0 }, real: createKvCache(shape) }), sequence)
    }),
    { numRuns: 1000 }
  )
  t.pass()
})

t.test('a view is a window on the slab, not a copy', async t => {
  const cache = createKvCache({ ...shape, leastPlaces: 6 })
  const [first, second] = [cache.allocate(), cache.allocate()]
  const both = cache.view(0, 2)
  cache.append([first, second], stepOf([[1], [2]]), [1, 1], 1)
  t.equal(both.keys[0]!.buffer, cache.view(1, 1).keys[0]!.buffer)
  t.equal(both.keys[1]![2 * 3 * 6], 210)
  t.strictSame(Array.from(both.bias), [
    0,
    hidden,
    hidden,
    hidden,
    hidden,
    hidden,
    0,
    hidden,
    hidden,
    hidden,
    hidden,
    hidden
  ])
})

t.test('numbers that would outlive their sequence are not kept', async t => {
  const cache = createKvCache(shape)
  const slot = cache.allocate()
  const broken = [0, 1].map(() => Float32Array.of(NaN, Infinity, -Infinity, 1, 2, 3))
  cache.append([slot], { newKeys: broken, newValues: broken }, [1], 1)
  t.strictSame(Array.from(cache.view(0, 1).values[0]!.subarray(0, 3)), [0, 0, 0])
  t.ok(cache.view(0, 1).keys[1]!.every(Number.isFinite))
})
