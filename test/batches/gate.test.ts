/** Places are given in order, never more than there are, and nobody waits for ever. */
import t from 'tap'
import { createGate } from '../../src/batches/gate.ts'

const never = new AbortController().signal

t.test('places go to those who came first, and a large wish is not passed by small ones', async t => {
  const gate = createGate(2)
  const first = await gate.enter(never)
  const seen: string[] = []
  const large = gate.enter(never, 5).then(leave => {
    seen.push('large')
    return leave
  })
  const small = gate.enter(never).then(leave => {
    seen.push('small')
    return leave
  })
  await new Promise(setImmediate)
  t.strictSame(seen, [], 'the large one waits for all places, the small one behind it')
  first?.()
  ;(await large)?.()
  ;(await small)?.()
  t.strictSame(seen, ['large', 'small'])
})

t.test('who is called off gives up its turn', async t => {
  const gate = createGate(1)
  const leave = await gate.enter(never)
  const end = new AbortController()
  const waiting = gate.enter(end.signal)
  const next = gate.enter(never)
  end.abort()
  t.equal(await waiting, undefined)
  t.equal(await gate.enter(end.signal), undefined, 'and is not let in later')
  leave?.()
  t.type(await next, 'function')
})
