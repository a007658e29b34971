import t from 'tap'
import { createRequests } from '../../src/pipe/requests.ts'

const none = { pictures: [], visualTokens: 0, promptTokens: 0 }
const timings = { start: 0, queue: 0, encode: 0, prefill: 0, decode: 0, paint: 0 }
const answer = { result: none, timings, course: { ms: 0, phases: {}, kept: [] } }

t.test('a request ends once, with what comes first', async t => {
  const requests = createRequests()
  const first = requests.open(2)
  const second = requests.open(3)
  t.strictSame([first.id, second.id], [1, 2])
  requests.end(first.id, ({ resolve }) => resolve(answer))
  requests.end(first.id, () => t.fail('ended twice'))
  t.equal(await first.answer, answer)
  t.equal(requests.cost(), 3)
  requests.endAll(id => new Error(`request ${id}`))
  await t.rejects(second.answer, { message: 'request 2' })
  t.equal(requests.cost(), 0)
})

t.test('one that was left stays unanswered until the engine has ended it', async t => {
  const requests = createRequests()
  const toldLate = () => t.fail('told after it left')
  const { id } = requests.open(5, { onTaken: toldLate, onStage: toldLate, onPart: toldLate })
  t.ok(requests.take(id))
  t.notOk(requests.take(id), 'who takes it has it alone')
  requests.tell(id, { kind: 'token', sample: 0, tokenId: 1 })
  requests.tellTaken(id, { ahead: 0, startMs: 1 })
  t.strictSame([requests.unanswered(), requests.oldest(), requests.cost()], [1, 1, 5])
  requests.end(id, () => t.fail('nobody waits'))
  t.strictSame([requests.unanswered(), requests.oldest(), requests.cost()], [0, undefined, 0])
})

t.test('it is idle when nobody waits', async t => {
  const requests = createRequests()
  await requests.idle()
  const { id } = requests.open(1)
  let isIdle = false
  const idle = requests.idle().then(() => {
    isIdle = true
  })
  await null
  t.notOk(isIdle)
  requests.take(id)
  await idle
  t.ok(isIdle)
})

t.test('a new request stands behind those that have not begun, beside all that have not ended', async t => {
  const requests = createRequests()
  t.strictSame(requests.place(), { ahead: 0, beside: 0 })
  const stages: string[] = []
  const ids = [1, 2, 3].map(cost => requests.open(cost, { onStage: stage => stages.push(stage) }).id)
  t.strictSame(requests.place(), { ahead: 3, beside: 3 })
  requests.begin(ids.slice(0, 2), 'encode')
  t.strictSame(requests.place(), { ahead: 1, beside: 3 })
  requests.begin(ids.slice(0, 1), 'prefill')
  t.strictSame(stages, ['encode', 'encode', 'prefill'], 'each is told where it comes to')
  for (const id of ids.slice(1)) requests.end(id, ({ resolve }) => resolve(answer))
  t.strictSame(requests.place(), { ahead: 0, beside: 1 })
})
