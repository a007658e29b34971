// covers: src/tasks/uploads.ts
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { ServerError } from '../../src/errors.ts'
import { createFetching } from '../../src/fetching/fetching.ts'
import { base64, buildTestApp, form, png } from '../helper.ts'

const url = 'https://pictures.example/a.png'

/** The app, switched on, with a network where `fetch` answers. */
async function buildFetchingApp (
  t: Test,
  { fetch = async () => png, environment = {} }: { fetch?: () => Promise<Uint8Array>; environment?: object } = {}
) {
  const rules = createFetching({ fetchImages: 'https', fetchTimeoutMs: 1000, clientShare: 1 })!
  const fetched: string[] = []
  const app = await buildTestApp(t, {
    environment: { ...environment },
    fetching: {
      readUrl: rules.readUrl,
      async fetch (url) {
        fetched.push(url.href)
        return fetch()
      }
    }
  })
  return Object.assign(app, { fetched })
}

t.test('a picture by URL is answered as the same picture sent, wherever a picture may stand', async t => {
  const app = await buildFetchingApp(t)
  const post = async (path: string, payload: object) => app.inject({ method: 'POST', url: path, payload })
  const chat = (url: string) => ({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] })
  for (const [path, body] of [
    ['/tokenize', (image: string) => ({ image, seed: 1 })],
    ['/caption', (image: string) => ({ image, seed: 1 })],
    ['/vqa', (image: string) => ({ image, question: 'what?', seed: 1 })],
    ['/generate', (image: string) => ({ prompt: [{ type: 'image', image }], seed: 1, size: '8x8' })]
  ] as const) {
    const [byUrl, sent] = [await post(path, body(` ${url}\n`)), await post(path, body(base64))]
    t.equal(byUrl.statusCode, 200, path)
    t.strictSame(byUrl.json(), sent.json(), path)
  }
  t.equal((await post('/v1/chat/completions', chat(url))).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/tokenize', ...form([['image', url]]) })).statusCode, 200)
  const query = `/tokenize?image=${encodeURIComponent(url)}`
  t.equal((await app.inject({ method: 'POST', url: query })).statusCode, 200)
  t.strictSame(app.fetched, Array.from({ length: 7 }, () => url))
  const works = app.seen.works.map(work => ('picture' in work ? work.picture : null)).filter(Boolean)
  t.strictSame(works[0], works[1], 'the engine gets the same pixels')
})

t.test('the memory of a fetched picture is free once it is decoded, and not before it is drawn', async t => {
  const create = { width: 200, height: 200, channels: 3 as const, background: 'red' }
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 }
  const large = await sharp({ create: { ...create, noise } }).png().toBuffer()
  const given: Uint8Array[] = []
  const fetch = async () => {
    given.push(new Uint8Array(large))
    return given.at(-1)!
  }
  const app = await buildFetchingApp(t, { fetch })
  for (const accept of ['application/json', 'image/png']) {
    const sent = { method: 'POST' as const, url: '/tokenize', payload: { image: url }, headers: { accept } }
    t.equal((await app.inject(sent)).statusCode, 200)
  }
  t.strictSame(given.map(({ length }) => length), [0, large.length])
})

t.test('the time of fetching is told where a picture came by URL', async t => {
  const app = await buildFetchingApp(t)
  const tell = async (image: string) => {
    const { headers } = await app.inject({ method: 'POST', url: '/tokenize', payload: { image } })
    return headers['server-timing']
  }
  t.match(await tell(url), /^fetch;desc="pictures by URL";dur=\d+\.\d, decode;/)
  t.notMatch(await tell(base64), /fetch/)
})

t.test('a text that is long is a URL where it reads like one, and base64 where not', async t => {
  const long = `${url}?${'a'.repeat(70_000)}`
  const detail = async (app: Awaited<ReturnType<typeof buildTestApp>>, image: string) => {
    const answer = await app.inject({ method: 'POST', url: '/tokenize', payload: { image } })
    t.equal(answer.statusCode, 422)
    return answer.json().errors[0].message
  }
  t.match(await detail(await buildFetchingApp(t), long), /URL of more than 4096 characters/)
  const off = await buildTestApp(t)
  t.match(await detail(off, long), /switched off/)
  t.match(await detail(off, `${base64}:${'a'.repeat(70_000)}`), /neither a base64 data URL nor base64 text/)
})

t.test('an answer that shows the picture fetches it once', async t => {
  const app = await buildFetchingApp(t)
  const headers = { accept: 'image/png' }
  const show = async (image: string) => app.inject({ method: 'POST', url: '/tokenize', headers, payload: { image } })
  const [byUrl, sent] = [await show(url), await show(base64)]
  t.same(byUrl.rawPayload, sent.rawPayload)
  t.equal(app.fetched.length, 1)
})

t.test('nothing is fetched for a request that is refused anyway', async t => {
  const app = await buildFetchingApp(t)
  for (const [path, payload] of [
    ['/tokenize', { image: url, max_visual_tokens: 0 }],
    ['/tokenize', { image: url, model: 'none' }],
    ['/vqa', { image: url, question: ' ' }],
    ['/vqa', { image: url, question: 'a'.repeat(5000) }],
    ['/caption', { image: url, max_tokens: 1000 }],
    ['/generate', { prompt: [{ type: 'image', image: url }], size: '9x9' }],
    ['/generate', { prompt: [{ type: 'image', image: url }, { type: 'image', image: 'http://127.1/' }] }]
  ] as const) {
    const { statusCode } = await app.inject({ method: 'POST', url: path, payload })
    t.ok(statusCode >= 400 && statusCode < 500, `${path}: ${statusCode}`)
  }
  t.strictSame(app.fetched, [])
})

t.test('what is fetched has the limits of what is sent', async t => {
  const code = async (fetch: () => Promise<Uint8Array>, environment = {}, count = 1) => {
    const app = await buildFetchingApp(t, { fetch, environment })
    const prompt = Array.from({ length: count }, () => ({ type: 'image', image: url }))
    const answer = await app.inject({ method: 'POST', url: '/generate', payload: { prompt, size: '8x8' } })
    return answer.json().code ?? answer.statusCode
  }
  t.equal(await code(async () => Buffer.from('<html>')), 'unsupported_media_type')
  t.equal(await code(async () => png.subarray(0, 50)), 'image_unreadable')
  t.equal(await code(async () => png, { LAVIT_MAX_IMAGE_PIXELS: '199' }), 'too_large')
  const together = { LAVIT_MAX_UPLOAD_BYTES: `${2 * png.length}` }
  t.equal(await code(async () => png, together, 2), 200)
  t.equal(await code(async () => png, together, 3), 'too_large')
})

t.test('errors are problems that point at the field', async t => {
  const app = await buildFetchingApp(t, {
    async fetch () {
      throw new ServerError('image_unreachable', 'image could not be fetched: its server answered 404')
    }
  })
  const post = async (image: string) => app.inject({ method: 'POST', url: '/tokenize', payload: { image } })
  t.match((await post(url)).json(), { status: 422, code: 'image_unreachable' })
  for (const image of ['http://a.example/', 'https://127.0.0.1/', 'https://a:b@c.example/', 'ftp://a.example/']) {
    const said = (await post(image)).json()
    t.match(said, { status: 422, code: 'invalid_field', errors: [{ pointer: '/image', message: /^is a URL / }] }, image)
  }
})

t.test('off unless switched on', async t => {
  const app = await buildTestApp(t)
  const answer = await app.inject({ method: 'POST', url: '/tokenize', payload: { image: url } })
  t.match(answer.json(), { code: 'invalid_field', errors: [{ pointer: '/image', message: /switched off/ }] })
  const on = await buildTestApp(t, { environment: { LAVIT_FETCH_IMAGES: 'https' } })
  const refused = await on.inject({ method: 'POST', url: '/tokenize', payload: { image: 'https://127.0.0.1/a.png' } })
  t.match(refused.json(), { code: 'invalid_field', errors: [{ message: 'is a URL whose host has no public address' }] })
})
