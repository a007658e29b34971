/** What one client takes beside others, told by its address. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createLoad } from '../../src/admission/load.ts'
import { answerWork, base64, buildTestApp } from '../helper.ts'

t.test('one address with 80 requests does not keep others out, and each of both is answered', async t => {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  const load = createLoad({ engines: 1, queueLimit: 64, queueCost: 1e6, clientShare: 0.75 })
  const app = await buildTestApp(t, {
    environment: { LAVIT_TRUST_PROXY: 'true' },
    load,
    async submit (work, options) {
      await opened
      return answerWork(work, options)
    }
  })
  const ask = (client: string, payload: object = { visual_tokens: [1] }, url = '/detokenize') =>
    app.inject({ method: 'POST', url, payload, headers: { 'x-forwarded-for': client } })
  const greedy = Array.from({ length: 80 }, () => ask('1.1.1.1'))
  while (app.seen.works.length < 48) await setImmediate()
  const modest = Array.from({ length: 5 }, () => ask('2.2.2.2'))
  while (app.seen.works.length < 53) await setImmediate()

  const refused = await ask('1.1.1.1', { image: base64 }, '/tokenize')
  t.match(refused.json(), { status: 429, code: 'queue_full', detail: /^This client/ })
  t.match(refused.headers, {
    'retry-after': /^[1-9]\d*$/,
    'ratelimit-policy': '"concurrent-requests";q=48;qu="concurrent-requests"',
    ratelimit: /^"concurrent-requests";r=0;t=[1-9]\d*$/
  })
  t.match(refused.headers['server-timing'], /decode;desc="picture to pixels";dur=0\.0,/, 'nothing was decoded for it')
  open()
  const statuses = (await Promise.all(greedy)).map(({ statusCode }) => statusCode)
  t.equal(statuses.filter(status => status === 200).length, 48)
  t.equal(statuses.filter(status => status === 429).length, 32)
  for (const answer of await Promise.all(modest)) t.equal(answer.statusCode, 200)
  t.strictSame([app.seen.loans, load.requests(), load.cost()], [0, 0, 0])
})
