import t from 'tap'
import { createLoad } from '../../src/admission/load.ts'

const limits = { engines: 2, queueLimit: 4, queueCost: 100, clientShare: 0.75 }

/** Requests of this cost that the client gets in. */
function fill (load: ReturnType<typeof createLoad>, client: string, cost: number) {
  let count = 0
  try {
    for (;; count++) load.hold(client).take(cost)
  } catch {
    return count
  }
}

t.test('all engines count, and a client that comes later finds room', async t => {
  const load = createLoad(limits)
  t.equal(fill(load, 'a', 1), 6, 'three quarters of eight places')
  t.equal(fill(load, 'b', 1), 1)
  t.equal(load.requests(), 7)
})

t.test('the share holds for cost, too', async t => {
  const load = createLoad(limits)
  t.equal(fill(load, 'a', 50), 3, 'three quarters of 200')
  t.equal(fill(load, 'b', 50), 1)
  t.throws(() => load.hold('c').take(1), { code: 'queue_full', message: /^The model/ })
})

t.test('a request that has ended, or was refused for its cost, leaves nothing behind', async t => {
  const load = createLoad(limits)
  const [held, refused] = [load.hold('a'), load.hold('a')]
  held.take(190)
  t.throws(() => refused.take(11), { code: 'queue_full', message: /^The model/ })
  refused.end()
  held.end()
  t.strictSame([load.requests(), load.cost()], [0, 0])
})
