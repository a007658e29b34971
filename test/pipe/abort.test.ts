import { getEventListeners } from 'node:events'
import t from 'tap'
import { unlessAborted } from '../../src/pipe/abort.ts'

t.test('settles as the promise does, and lets go of the signal', async t => {
  const { signal } = new AbortController()
  t.equal(await unlessAborted(Promise.resolve(1), signal), 1)
  t.equal(await unlessAborted(Promise.resolve(1), undefined), 1)
  await t.rejects(unlessAborted(Promise.reject(new Error('x')), signal), { message: 'x' })
  t.strictSame(getEventListeners(signal, 'abort'), [])
})

t.test('rejects with the reason of the signal when that is first', async t => {
  const reason = new Error('late')
  const controller = new AbortController()
  const waiting = unlessAborted(new Promise(() => {}), controller.signal)
  controller.abort(reason)
  t.equal(await waiting.catch(error => error), reason)
  t.equal(await unlessAborted(new Promise(() => {}), AbortSignal.abort(reason)).catch(error => error), reason)
})

t.test('what fails after the signal is nobody\'s fault', async t => {
  const failing = new Promise((_resolve, reject) => setImmediate(() => reject(new Error('unhandled'))))
  await t.rejects(unlessAborted(failing, AbortSignal.abort(new Error('late'))), { message: 'late' })
  await new Promise(resolve => setTimeout(resolve, 5))
})
