/** What is asked: every job in every form, clients that leave, deadlines, bombs, and what is no request at all. */
import sharp from 'sharp'
import { questions, prompts } from '../jobs.ts'
import { makePhotograph, makePictures } from '../pictures.ts'
import type { Sent } from './send.ts'

type Draw = { below: (count: number) => number; chance: (share: number) => boolean }
type Kind = { weight: number; make: (draw: Draw) => Omit<Sent, 'kind'> }

const png = 'image/png'
const json = 'application/json'

/** Makes request after request. `uniform` draws from 0..1, 1 excluded. */
export async function createTraffic (uniform: () => number): Promise<() => Sent> {
  const kinds = Object.entries(await makeKinds())
  const all = kinds.reduce((sum, [, { weight }]) => sum + weight, 0)
  const draw: Draw = { below: count => Math.floor(uniform() * count), chance: share => uniform() < share }
  return () => {
    let at = uniform() * all
    const [kind, { make }] = kinds.find(([, { weight }]) => (at -= weight) < 0) ?? kinds[0]!
    const sent = { kind, ...make(draw) }
    const mayLeave = sent.leaveMs === undefined && sent.text === undefined
    return mayLeave && draw.chance(0.12) ? { ...sent, leaveMs: draw.below(400) } : sent
  }
}

async function makeKinds (): Promise<Record<string, Kind>> {
  const pictures = await makePictures(24)
  const photograph = await makePhotograph(2000, 1500)
  const bomb = await makeBomb()
  const huge = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#00f' } }).png().toBuffer()
  const pictureAt = (i: number) => pictures[i] ?? Buffer.alloc(0)

  /** A picture as it is, with options in the query. */
  const read = (route: string, options: (draw: Draw) => object) => (draw: Draw) => {
    const i = draw.below(pictures.length)
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries({ seed: i, ...options(draw) })) query.set(name, String(value))
    const path = `/${route}?${query}`
    return { path, type: png, body: pictureAt(i), may: [200], same: path + i }
  }
  const post = (path: string, body: object, may = [200], same?: string) =>
    ({ path, type: json, body: Buffer.from(JSON.stringify(body)), may, ...(same !== undefined && { same }) })
  const question = (draw: Draw) => questions[draw.below(questions.length)] ?? ''

  return {
    caption: { weight: 12, make: read('caption', () => ({})) },
    'caption, streamed': { weight: 10, make: read('caption', () => ({ num_beams: 1, stream: true })) },
    vqa: { weight: 12, make: read('vqa', draw => ({ question: question(draw) })) },
    tokenize: { weight: 16, make: read('tokenize', () => ({})) },
    'tokenize, drawn': { weight: 4, make: read('tokenize', () => ({ selection: 'sample' })) },
    generate: {
      weight: 8,
      make (draw) {
        const body = { prompt: prompts[draw.below(prompts.length)], seed: draw.below(20), n: 1 + draw.below(2) }
        return post('/generate', body, [200], JSON.stringify(body))
      }
    },
    'generate, streamed': {
      weight: 4,
      make: draw => post('/generate', { prompt: prompts[draw.below(5)], stream: true, previews: draw.below(3) })
    },
    detokenize: { weight: 5, make: draw => post('/detokenize', { visual_tokens: [draw.below(9), 7], seed: 1 }) },
    form: {
      weight: 5,
      make: draw => ({
        path: '/caption',
        type: 'multipart/form-data; boundary=b',
        body: formOf(pictureAt(draw.below(pictures.length))),
        may: [200]
      })
    },
    'JSON with a picture': {
      weight: 5,
      make: draw => post('/tokenize', { image: pictureAt(draw.below(24)).toString('base64'), priority: 'bulk' })
    },
    chat: {
      weight: 3,
      make: draw => post('/v1/chat/completions', chatOf(pictureAt(draw.below(24)), question(draw)))
    },
    photograph: { weight: 2, make: () => ({ path: '/tokenize', type: 'image/jpeg', body: photograph, may: [200] }) },
    deadline: { weight: 4, make: read('caption', draw => ({ deadline_ms: 1 + draw.below(300) })) },
    'bomb of 39 megapixels': {
      weight: 0.5,
      make: draw => ({ path: '/tokenize', type: png, body: bomb, may: [200, 422], leaveMs: 200 + draw.below(4000) })
    },
    'too many pixels': { weight: 1, make: () => ({ path: '/caption', type: png, body: huge, may: [413] }) },
    'cut picture': {
      weight: 1,
      make: draw => ({ path: '/caption', type: png, body: pictureAt(0).subarray(0, 200 + draw.below(999)), may: [422] })
    },
    'deep JSON': { weight: 1, make: () => ({ path: '/vqa', type: json, body: Buffer.alloc(20_000, '['), may: [400] }) },
    'wrong fields': { weight: 2, make: draw => post('/generate', { prompt: 'a', n: 99, x: draw.below(9) }, [422]) },
    'tokens out of range': { weight: 1, make: () => post('/detokenize', { visual_tokens: [-1, 1e15] }, [422]) },
    'no HTTP': {
      weight: 1,
      make: draw => ({ path: '', type: '', body: Buffer.alloc(0), may: [400, 431], text: noise(draw) })
    },
    'half a body': {
      weight: 1,
      make: draw => ({
        path: '',
        type: '',
        body: Buffer.alloc(0),
        may: [],
        text: `POST /caption HTTP/1.1\r\nHost: x\r\nContent-Type: ${json}\r\nContent-Length: 5000\r\n\r\n{"image": "`,
        leaveMs: draw.below(1000)
      })
    }
  }
}

/** Small to send, long to decode: 16 bits, interlaced. */
function makeBomb (): Promise<Buffer> {
  return sharp({ create: { width: 6300, height: 6300, channels: 3, background: '#0f0' } })
    .toColourspace('rgb16')
    .png({ progressive: true })
    .toBuffer()
}

function formOf (picture: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'),
    picture,
    Buffer.from('\r\n--b\r\nContent-Disposition: form-data; name="num_beams"\r\n\r\n1\r\n--b--\r\n')
  ])
}

function chatOf (picture: Buffer, text: string) {
  const url = `data:image/png;base64,${picture.toString('base64')}`
  const content = [{ type: 'text', text }, { type: 'image_url', image_url: { url } }]
  return { model: 'lavit-mini', messages: [{ role: 'user', content }] }
}

function noise ({ below }: Draw): string {
  const long = `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`
  const texts = ['\0\0\0', 'GET\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', long]
  return texts[below(texts.length)] ?? ''
}
