/** How the soak counts what becomes of requests. */
import t from 'tap'
import { createCounts } from '../../bench/soak/count.ts'
import { endsOnce, type Outcome, type Sent } from '../../bench/soak/send.ts'

const body = new Uint8Array()
const sent: Sent = { kind: 'caption', path: '/caption', type: 'image/png', body, may: [200], same: 'a' }
const answered = (status: number, body: string): Outcome => ({ is: 'answered', status, body, isStream: false })

t.test('a stream has one end, and it is last', async t => {
  const event = (name: string) => `event: ${name}\ndata: {}\n\n`
  for (const names of [['done'], ['queued', 'token', 'done'], ['token', 'error']]) {
    t.ok(endsOnce(names.map(event).join('')), names.join())
  }
  for (const names of [[], ['token'], ['done', 'done'], ['done', 'error'], ['done', 'token']]) {
    t.notOk(endsOnce(names.map(event).join('')), names.join())
  }
  t.notOk(endsOnce('event: done\ndata: {'), 'cut off')
})

t.test('what is wrong is told, and what a busy server may say is not', async t => {
  const cases: [Outcome, RegExp | undefined][] = [
    [answered(200, '{"image_ref":"img_1","text":"a dog"}'), undefined],
    [answered(200, '{"image_ref":"img_2","text":"a dog"}'), undefined],
    [answered(200, '{"text":"a cat"}'), /another answer/],
    [answered(429, '{"code":"queue_full"}'), undefined],
    [answered(503, '{"code":"engine_restarting"}'), undefined],
    [answered(503, '{"code":"model_unavailable"}'), /503/],
    [answered(500, '{"code":"internal_error"}'), /500/],
    [{ is: 'left' }, undefined],
    [{ is: 'lost', reason: 'ECONNRESET' }, /lost/],
    [{ is: 'broken', body: 'event: token' }, /without one end/]
  ]
  const counts = createCounts()
  for (const [outcome, expected] of cases) {
    const before = counts.wrong.length
    counts.add(sent, outcome)
    const told = counts.wrong.slice(before)
    t.match(told, expected === undefined ? [] : [expected])
    t.equal(told.length, expected === undefined ? 0 : 1)
  }
  t.match(counts.kinds.get('caption'), { sent: 10 })
  t.strictSame([counts.ended(), counts.answered(), counts.left()], [10, 7, 1])
})
