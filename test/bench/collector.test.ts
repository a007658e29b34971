import t from 'tap'
import { createCollector } from '../../bench/peers/fastify/collector.ts'

t.test('batches run one after the other, of no more than their limit, and answers find their way', async t => {
  const batches: number[][] = []
  let isRunning = false
  const double = createCollector({
    most: 3,
    waitMs: 0,
    async run (inputs: number[]) {
      t.notOk(isRunning)
      isRunning = true
      batches.push(inputs)
      await new Promise(resolve => setImmediate(resolve))
      isRunning = false
      return inputs.map(input => 2 * input)
    }
  })
  t.strictSame(await Promise.all([1, 2, 3, 4, 5].map(double)), [2, 4, 6, 8, 10])
  t.strictSame(batches, [[1], [2, 3, 4], [5]])
})

t.test('what waits is collected until the batch is full', async t => {
  const count = createCollector({
    most: 2,
    waitMs: 60_000,
    run: async (inputs: number[]) => inputs.map(() => inputs.length)
  })
  t.strictSame(await Promise.all([count(1), count(2)]), [2, 2])
})

t.test('a batch that fails rejects all of its requests, and the next one runs', async t => {
  let isBroken = true
  const collected = createCollector({
    most: 2,
    waitMs: 60_000,
    async run (inputs: number[]) {
      if (isBroken) throw new Error('broken')
      return inputs
    }
  })
  const outcomes = await Promise.allSettled([collected(1), collected(2)])
  t.strictSame(outcomes.map(({ status }) => status), ['rejected', 'rejected'])
  isBroken = false
  t.strictSame(await Promise.all([collected(3), collected(4)]), [3, 4])
})
