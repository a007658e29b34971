/** A token bucket on a clock of our own. */
import t from 'tap'
import { createAllowance } from '../../src/plugins/allowance.ts'

t.test('a minute has as many as it may have, given back evenly', async t => {
  let time = 0
  const allowance = createAllowance(3, () => time)
  t.strictSame(allowance.take(), { isAllowed: true, left: 2, fullSeconds: 20, waitSeconds: 0 })
  t.strictSame(allowance.take(), { isAllowed: true, left: 1, fullSeconds: 40, waitSeconds: 0 })
  t.strictSame(allowance.take(), { isAllowed: true, left: 0, fullSeconds: 60, waitSeconds: 20 })
  time = 10_000
  t.strictSame(allowance.take(), { isAllowed: false, left: 0, fullSeconds: 50, waitSeconds: 10 })
  time = 20_000
  t.match(allowance.take(), { isAllowed: true }, 'what was refused cost nothing')
  t.match(allowance.take(), { isAllowed: false })
  time = 10_000_000
  t.match(allowance.take(), { isAllowed: true, left: 2 }, 'no more are saved up than there are in a minute')
})

t.test('what asks for no work takes a part of a request', async t => {
  const allowance = createAllowance(1, () => 0)
  for (let i = 0; i < 9; i++) t.ok(allowance.take(0.1).isAllowed)
  t.match(allowance.take(), { isAllowed: false })
})
