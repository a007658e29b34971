import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createDrainRate } from '../../src/pipe/drain-rate.ts'

/** A clock that is turned by hand. */
function startClock (t: Test) {
  let now = 0
  const clock = mock.method(performance, 'now', () => now)
  t.teardown(() => clock.mock.restore())
  return { pass (seconds: number) { now += seconds * 1000 } }
}

t.test('one second where nothing has ended yet', async t => {
  t.equal(createDrainRate().secondsFor(1000), 1)
})

t.test('as long as the cost takes at the rate seen, idle times left out', async t => {
  const clock = startClock(t)
  const rate = createDrainRate()
  for (let i = 0; i < 10; i++) {
    rate.begin()
    clock.pass(2)
    rate.end(10)
    clock.pass(3600)
  }
  t.equal(rate.secondsFor(20), 4)
  t.equal(rate.secondsFor(0.1), 1, 'a second at least')
  t.equal(rate.secondsFor(1e9), 600, 'ten minutes at most')
})

t.test('the rate follows the load', async t => {
  const clock = startClock(t)
  const rate = createDrainRate()
  const work = (seconds: number) => {
    rate.begin()
    clock.pass(seconds)
    rate.end(1)
  }
  for (let i = 0; i < 50; i++) work(10)
  t.equal(rate.secondsFor(1), 10)
  for (let i = 0; i < 50; i++) work(1)
  t.equal(rate.secondsFor(1), 2)
})
