import { pino } from 'pino'
import t from 'tap'
import { base64, buildTestApp, form, png } from '../helper.ts'

const secret = 'the-secret-question'

t.test('the log holds no questions, pictures or queries, in one line of JSON each', async t => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: line => lines.push(line) })
  const app = await buildTestApp(t, { log })
  const image = { payload: png, headers: { 'content-type': 'image/png' } }
  const forged = `${secret}\r\n\u001b[31m{"level":60}`
  const requests = [
    { url: `/vqa?question=${secret}`, ...image },
    { url: `/nowhere?question=${secret}`, ...image },
    { url: `/vqa?quesion=${secret}`, ...image },
    { url: '/vqa', payload: { image: base64, question: forged } },
    { url: '/vqa', payload: { image: base64, question: forged, num_beams: 99 } },
    { url: '/generate', payload: { prompt: [{ type: 'text', text: forged }] } },
    { url: '/generate', payload: { prompt: secret.repeat(1000) } },
    { url: '/vqa', ...form([['image', png], ['question', forged]]) },
    { url: `/models/${'x'.repeat(1000)}`, payload: {} }
  ]
  for (const request of requests) await app.inject({ method: 'POST', ...request })
  t.ok(lines.length >= 2 * requests.length)
  for (const line of lines) {
    t.ok(line.endsWith('\n') && !line.slice(0, -1).includes('\n'))
    const { req, detail = '' } = JSON.parse(line)
    t.notMatch(line, secret)
    // eslint-disable-next-line no-control-regex
    t.notMatch(line.trimEnd(), /[\0-\x1f]/)
    t.notMatch(line, base64.slice(0, 40))
    if (req) t.ok(req.url.length <= 200)
    t.ok(detail.length <= 200)
  }
})
