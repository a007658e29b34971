import t from 'tap'
import { highestRate } from '../../bench/sweep.ts'
import { load, summarise } from '../../bench/measure.ts'
import { closedLoop, openLoop, type Sample } from '../../bench/load.ts'
import { turned } from '../../bench/rounds.ts'

const good = { status: 200, isSame: true }

t.test('a closed loop never has more requests under way than clients', async t => {
  let underWay = 0
  let most = 0
  const samples = await closedLoop(
    async () => {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setImmediate(resolve))
      underWay--
      return good
    },
    3,
    (_, sent) => sent < 20
  )
  t.strictSame([samples.length, most], [20, 3])
})

t.test('an open loop sends all, whatever becomes of those before, and charges the wait', async t => {
  const held: (() => void)[] = []
  const samples = await openLoop(
    i =>
      new Promise(resolve => {
        held.push(() => resolve(good))
        if (i === 2) for (const release of held) release()
      }),
    [0, 0.001, 0.002]
  )
  t.strictSame(samples.map(({ planned }) => planned), [0, 1, 2])
  t.ok(samples.every(({ planned, sent, ended }) => sent >= planned && ended >= sent))
})

t.test('a request that fails is a sample too', async t => {
  const [sample] = await closedLoop(async () => { throw new Error('refused') }, 1, (_, sent) => sent < 1)
  t.match(sample, { status: 0, isSame: false })
})

t.test('an open loop counts what was planned within the window', async t => {
  const duration = { warmUp: 0.01, seconds: 0.02 }
  const { samples, isCounted } = await load(async () => good, { job: 'caption', rate: 1000 }, duration, 1)
  t.ok(samples.some(sample => isCounted(sample)))
  for (const sample of samples) t.strictSame(isCounted(sample), sample.planned >= 10 && sample.planned < 30)
})

t.test('a summary counts right answers, and tells refused and wrong ones apart', async t => {
  const at: Sample = { planned: 0, sent: 0, ended: 10, ...good }
  const samples = [
    at,
    { ...at, ended: 30 },
    { ...at, ended: 20, isSame: false },
    { ...at, ended: 1, status: 429, isSame: false }
  ]
  t.strictSame(summarise(samples, 2), { perSecond: 1, p50: 20, p99: 30, count: 4, failed: 1, wrong: 1 })
})

t.test('the sweep ends within a 64th of the highest rate that holds', async t => {
  const asked: number[] = []
  const rate = await highestRate(64, async rate => {
    asked.push(rate)
    return rate <= 23.5
  })
  t.strictSame(rate, 23)
  t.strictSame(asked.length, 6)
  t.strictSame(await highestRate(10, async () => false), 0)
})

t.test('every round begins with another server', async t => {
  t.strictSame([0, 1, 2, 3].map(round => turned(['a', 'b', 'c'], round).join('')), ['abc', 'bca', 'cab', 'abc'])
})
