/** When a line of a batch, or a picture of a bulk job, is asked for again. */
import t from 'tap'
import { createRetries, type Refused } from '../../src/bulk/retries.ts'

const refused = (status: number, code: string, retryAfterSeconds?: number, wasBegun = false): Refused =>
  ({ status, code, retryAfterSeconds, wasBegun })
const busy = refused(429, 'queue_full', 7)
const fault = refused(500, 'internal_error')
const ender = refused(503, 'engine_restarting', 2, true)

t.test('how long each refusal is waited for, again and again', async t => {
  const cases: [refused: Refused | 'away', pauses: (number | undefined)[]][] = [
    [busy, [7, 7, 7, 7, 7, 7, 7, 7, 7, 7]],
    [refused(429, 'queue_full', 7000), [60]],
    [refused(429, 'from a proxy, which tells no time'), [1]],
    [refused(503, 'model_loading', 2), [2, 2, 2, 2, 2, 2, 2, 2]],
    [refused(503, 'engine_restarting', 2), [2, 2, 2, 2, 2, 2, 2, 2]],
    [ender, [2, 2, 2, 2, undefined]],
    [refused(503, 'model_unavailable'), [undefined]],
    [fault, [1, 1, undefined]],
    [refused(422, 'image_unreadable', undefined, true), [undefined]],
    ['away', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10, undefined]]
  ]
  for (const [refused, pauses] of cases) {
    const pauseAfter = createRetries()
    t.strictSame(pauses.map(() => pauseAfter(refused)), pauses, JSON.stringify(refused))
  }
})

t.test('what was busy for long has as much patience as before', async t => {
  const pauseAfter = createRetries()
  for (let i = 0; i < 100; i++) pauseAfter(busy)
  t.equal(pauseAfter('away'), 1)
  t.equal(pauseAfter(fault), 1)
  for (let i = 0; i < 14; i++) t.ok(pauseAfter('away'))
  t.ok(pauseAfter(busy))
  t.equal(pauseAfter('away'), 1, 'who has answered was there')
  t.equal(pauseAfter(fault), 1)
  t.equal(pauseAfter(fault), undefined, 'faults of the same piece count, whatever lies between')
})
