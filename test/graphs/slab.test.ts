import t from 'tap'
import { createSlab } from '../../src/graphs/slab.ts'

const shape = { rows: 2, stripes: 2, width: 2, mostPlaces: 4 }

/** Row b of fresh values: tokens whose first one fills the row up; each value names its stripe, token and column. */
const fresh = Float32Array.from([0, 0, 11, 12, 21, 22, 0, 0, 111, 112, 121, 122])

t.test('a row holds what was written behind what it had, stripe by stripe', async t => {
  const slab = createSlab(shape)
  slab.resize(3, [0, 0])
  slab.write({ row: 1, length: 0 }, fresh, { b: 0, count: 2, tokens: 3 })
  slab.write({ row: 1, length: 2 }, fresh, { b: 0, count: 1, tokens: 3 })
  t.strictSame([...slab.window(1, 1)], [11, 12, 21, 22, 21, 22, 111, 112, 121, 122, 121, 122])
})

t.test('rows keep their places when they get more or fewer, and when they are copied', async t => {
  const slab = createSlab(shape)
  slab.resize(2, [0, 0])
  slab.write({ row: 0, length: 0 }, fresh, { b: 0, count: 2, tokens: 3 })
  slab.copyRow(0, 1, { first: 0, last: 2 })
  for (const places of [4, 2, 3]) {
    slab.resize(places, [2, 2])
    const behind = 2 * (places - 2)
    for (const row of [0, 1]) {
      const [first, second] = [0, 1].map(i => [...slab.window(row, 1)].slice(2 * i * places, 2 * i * places + 4))
      t.strictSame([first, second], [[11, 12, 21, 22], [111, 112, 121, 122]], `${places} places, row ${row}`)
    }
    t.equal(slab.window(0, 2).length, 2 * 2 * (4 + behind))
  }
})

t.test('of a row that shares its first places only the others are copied', async t => {
  const tokens = 12 // more of them than are copied one by one
  const slab = createSlab({ rows: 2, stripes: 2, width: 1, mostPlaces: tokens })
  slab.resize(tokens, [0, 0])
  const counted = Float32Array.from({ length: 2 * tokens }, (_, i) => i)
  slab.write({ row: 0, length: 0 }, counted, { b: 0, count: tokens, tokens })
  slab.copyRow(0, 1, { first: 10, last: 11 })
  t.strictSame([...slab.window(1, 1)].map(Boolean).indexOf(true), 10)
  t.strictSame([...slab.window(1, 1)].filter(Boolean), [10, 22])
  slab.copyRow(0, 1, { first: 1, last: tokens })
  t.strictSame([...slab.window(1, 1)], [...counted].map(value => (value === tokens ? 0 : value)))
})

t.test('a window shows what is written after it was taken', async t => {
  const slab = createSlab(shape)
  slab.resize(4, [0, 0])
  const window = slab.window(0, 1)
  slab.write({ row: 0, length: 0 }, Float32Array.of(NaN, 1, -Infinity, 3), { b: 0, count: 1, tokens: 1 })
  t.strictSame([...window.subarray(0, 2), ...window.subarray(8, 10)], [0, 1, 0, 3], 'and only finite numbers')
})
