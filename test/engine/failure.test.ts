import t from 'tap'
import { causesOf, codeOf } from '../../src/engine/failure.ts'
import { ServerError } from '../../src/errors.ts'

t.test('a typed error keeps its code, its words and its time', async t => {
  const full = new ServerError('queue_full', 'Full', { retryAfterSeconds: 7, cause: new Error('not told') })
  t.strictSame(codeOf(full), { code: 'queue_full', detail: 'Full', retryAfterSeconds: 7 })
  t.strictSame(codeOf(new ServerError('too_large', 'Long')), { code: 'too_large', detail: 'Long' })
})

t.test('any other error is a fault of ours, told with all its causes', async t => {
  const error = new Error('the run failed', { cause: new Error('the graph', { cause: 'the device' }) })
  t.strictSame(codeOf(error), { code: 'internal_error', detail: 'the run failed: the graph: the device' })
  t.equal(causesOf(undefined), 'undefined')
})
