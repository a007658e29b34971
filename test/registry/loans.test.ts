import t from 'tap'
import { createLoans } from '../../src/registry/loans.ts'

t.test('a loan ends once, whoever ends it again', async t => {
  const loans = createLoans()
  const left: number[] = []
  const [endFirst, endSecond] = [0, 1].map(() => loans.begin(() => left.push(loans.open())))
  t.equal(loans.open(), 2)
  endFirst?.()
  endFirst?.()
  t.equal(loans.open(), 1)
  endSecond?.()
  t.strictSame(left, [1, 0], 'who is told sees how many are left')
})

t.test('a loan and a touch are uses', async t => {
  const loans = createLoans()
  t.equal(loans.usedAt(), 0)
  loans.touch()
  const touched = loans.usedAt()
  t.ok(touched > 0)
  loans.begin(() => {})
  t.ok(loans.usedAt() >= touched)
})
