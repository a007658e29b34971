import fc from 'fast-check'
import t from 'tap'
import { createShares, type Hold } from '../../src/admission/shares.ts'

const words = { full: 'full', share: 'share' }

/** How many times the client gets one, and what it is then told. */
function fill (shares: ReturnType<typeof createShares>, client: string) {
  const holds: Hold[] = []
  for (;;) {
    const hold = shares.hold(client)
    try {
      hold.take(1)
    } catch (error) {
      return { holds, error }
    }
    holds.push(hold)
  }
}

t.test('one client alone leaves room, and each newcomer finds some', async t => {
  const shares = createShares({ most: 64, share: 0.75, words })
  const refused = { code: 'queue_full', statusCode: 429, message: 'share', retryAfterSeconds: 1 }
  for (const [client, count] of [['a', 48], ['b', 12], ['c', 3]] as const) {
    const { holds, error } = fill(shares, client)
    t.equal(holds.length, count, 'three quarters of what is left')
    t.match(error, refused)
  }
})

t.test('clients that come again and again meet at equal parts', async t => {
  const shares = createShares({ most: 64, share: 0.75, words })
  const clients = ['a', 'b', 'c'].map(client => fill(shares, client).holds)
  for (let round = 0; round < 500; round++) {
    clients[round % 3]?.shift()?.end()
    for (const [i, client] of ['a', 'b', 'c'].entries()) clients[i]?.push(...fill(shares, client).holds)
  }
  for (const { length } of clients) t.ok(length >= 17 && length <= 22, String(length))
})

t.test('a share of 1 bounds nobody, and what is full is full for all', async t => {
  const shares = createShares({ most: 5, share: 1, words })
  t.equal(fill(shares, 'a').holds.length, 5)
  t.match(fill(shares, 'b'), { holds: [], error: { message: 'full' } })
})

t.test('a client that holds nothing may have all that is free', async t => {
  const shares = createShares({ most: 100, share: 0.1, words })
  const hold = shares.hold('a')
  hold.take(100)
  t.throws(() => hold.take(1), { message: 'full' })
  hold.end()
  hold.end()
  t.equal(shares.total(), 0)
})

t.test('whatever is taken and given back: never more than there is, and nothing stays', async t => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    amount: fc.integer({ min: 1, max: 60 }),
    ends: fc.nat(9)
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const shares = createShares({ most: 100, share: 0.5, words })
      const open: Hold[] = []
      for (const { client, amount, ends } of steps) {
        const hold = shares.hold(client)
        try {
          hold.take(amount)
          open.push(hold)
        } catch {}
        if (shares.total() > 100) return false
        if (ends < 4) open.splice(ends, 1)[0]?.end()
      }
      for (const hold of open) hold.end()
      return shares.total() === 0 && shares.clients() === 0
    })
  )
})

t.test('what comes after the end is not held', async t => {
  const shares = createShares({ most: 10, share: 1, words })
  const hold = shares.hold('a')
  hold.take(3)
  hold.end()
  hold.take(7)
  t.equal(shares.total(), 0)
})
