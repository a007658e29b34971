import t from 'tap'
import { createRows, mostNarrowRows } from '../../../src/engine/stations/rows.ts'
import { reservedRows } from '../../../src/pipe/cost.ts'

const capacity = 16 + reservedRows
const slots = (count: number) => new Set(Array.from({ length: count }, (_, row) => ({ row, length: 0 })))
const rows = (inUse: number, narrow = 0) => createRows({ capacity, inUse: () => inUse }, slots(narrow))

t.test('one wide request may have all rows but the reserved', async t => {
  t.ok(rows(0).take(16))
  t.notOk(rows(1).take(16))
  t.ok(rows(reservedRows, reservedRows).take(16), 'narrow ones stand on the reserved rows')
  t.notOk(rows(reservedRows + 1, reservedRows + 1).take(16))
})

t.test('narrow requests pass a wide one that waits, within the reserved rows', async t => {
  const waiting = rows(16)
  t.notOk(waiting.take(8))
  const passing = Array.from({ length: 3 }, () => waiting.take(mostNarrowRows))
  t.strictSame(passing, [true, true, false])
  t.notOk(waiting.take(1), 'nothing overtakes one of its kind')
})

t.test('without a wide one they have all rows', async t => {
  const free = rows(0)
  t.ok(Array.from({ length: capacity }, () => free.take(1)).every(Boolean))
  t.notOk(free.take(1))
})

t.test('a wide one is not starved: rows that narrow ones had before it came are not given to others', async t => {
  const before = rows(capacity, capacity)
  t.notOk(before.take(16))
  t.notOk(before.take(1), 'they hold more than is reserved')
})

t.test('rows that were given back count no more', async t => {
  const narrow = slots(3)
  for (const slot of narrow) slot.row = -1
  createRows({ capacity, inUse: () => 0 }, narrow)
  t.equal(narrow.size, 0)
})
