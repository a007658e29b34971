// covers: src/cli/peers/embedded.ts src/cli/peers/http.ts src/cli/peers/open.ts src/cli/peers/peer.ts src/cli/run.ts
// covers: src/cli/commands/tokenize.ts src/cli/commands/paint.ts src/cli/commands/understand.ts src/cli/session.ts
// covers: src/cli/pass.ts src/cli/peers/events.ts
/** `lavit` over HTTP, `lavit` with the model in its process, and the server itself say the same, byte for byte. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../fixtures/embedded-app.ts'
import { lavit } from './fixtures/lavit.ts'

const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name)
const scene = readFileSync(fixture('scene.png'))
const image = scene.toString('base64')
const prompt = 'a rocket on a blue background'

type Case = { words: string[]; path: string; body: Record<string, unknown>; stdin?: Buffer | string }

/** Each with the request that it stands for. */
const cases: Case[] = [
  { words: ['caption', '-', '--seed', '1'], path: '/caption', body: { image, seed: 1 }, stdin: scene },
  {
    words: ['caption', '-', '--num-beams', '1', '--temperature', '1', '--n', '2', '--seed', '5'],
    path: '/caption',
    body: { image, num_beams: 1, temperature: 1, n: 2, seed: 5 },
    stdin: scene
  },
  {
    words: ['ask', 'how many objects are there?', '-', '--seed', '1'],
    path: '/vqa',
    body: { image, question: 'how many objects are there?', seed: 1 },
    stdin: scene
  },
  {
    words: ['caption', '--visual-tokens', '10648,11334', '--seed', '1'],
    path: '/caption',
    body: { visual_tokens: [10648, 11334], seed: 1 }
  },
  {
    words: ['tokenize', '-', '--selection', 'sample', '--seed', '3'],
    path: '/tokenize',
    body: { image, selection: 'sample', seed: 3 },
    stdin: scene
  },
  { words: ['paint', '-', '--seed', '7'], path: '/generate', body: { prompt, seed: 7 }, stdin: prompt },
  {
    words: ['paint', '@-', 'on a red background', '--seed', '7', '--format', 'webp'],
    path: '/generate',
    body: {
      prompt: [{ type: 'image', image }, { type: 'text', text: 'on a red background' }],
      seed: 7,
      format: 'webp'
    },
    stdin: scene
  },
  {
    words: ['detokenize', '10648', '11334', '--seed', '7'],
    path: '/detokenize',
    body: { visual_tokens: [10648, 11334], seed: 7 }
  }
]

t.test('every job has the same bytes over HTTP, in process and from the server itself', async t => {
  const app = await startApp(t)
  const url = await app.listen({ port: 0 })
  const asked = new Set<string>()
  for (const { words, path, body, stdin = '' } of cases) {
    const { payload } = await app.inject({ method: 'POST', url: path, payload: body })
    const over = await lavit([...words, '--json', '--url', url], { stdin })
    const wanted = stdin === scene && path !== '/generate' ? `{"input":"-",${payload.slice(1)}` : payload
    t.equal(withoutInput(over.stdout), withoutInput(`${wanted}\n`), words.join(' '))
    if (asked.has(path)) continue
    asked.add(path)
    t.strictSame(await lavit([...words, '--json'], { stdin }), over, 'without a server')
  }
})

t.test('pictures that are written have the bytes of the server', async t => {
  const app = await startApp(t)
  const url = await app.listen({ port: 0 })
  const folder = t.testdir()
  const ask = async (path: string, payload: object) =>
    (await app.inject({ method: 'POST', url: path, payload, headers: { accept: 'image/png' } })).rawPayload
  const overlay = join(folder, 'kept.png')
  const kept = await lavit(['tokenize', fixture('scene.png'), '--overlay', overlay, '--url', url])
  t.match(kept.stdout, /^10648 11672( \d+)+\n$/)
  t.strictSame(readFileSync(overlay), await ask('/tokenize', { image }))

  const painted = await ask('/generate', { prompt, seed: 7 })
  t.strictSame((await lavit(['paint', prompt, '--seed', '7', '--out', '-', '--url', url])).bytes, painted)
  const file = join(folder, 'painted.png')
  const told = await lavit(['paint', prompt, '--seed', '7', '--n', '2', '--out', file, '--url', url])
  t.equal(told.stdout, `${join(folder, 'painted-1.png')}\n${join(folder, 'painted-2.png')}\n`)
  t.strictSame(readFileSync(join(folder, 'painted-1.png')), painted)

  const again = await lavit(['detokenize', '-', '--seed', '7', '--out', '-', '--url', url], { stdin: kept.stdout })
  const tokens = kept.stdout.trim().split(' ').map(Number)
  t.strictSame(again.bytes, await ask('/detokenize', { visual_tokens: tokens, seed: 7 }))
})

t.test('on a terminal painting is followed as it comes, and has the same bytes', async t => {
  const app = await startApp(t)
  const url = await app.listen({ port: 0 })
  const words = ['paint', prompt, '--seed', '7', '--steps', '2', '--json']
  const plain = await lavit([...words, '--url', url])
  for (const peer of [['--url', url], []]) {
    const live = await lavit([...words, ...peer], { isTerminal: true })
    t.equal(live.stdout, plain.stdout)
    t.match(live.stderr, /3 visual tokens.*step 2 of 2/s)
  }
  const refused = await lavit(['paint', prompt, '--top-p', '2', '--url', url], { isTerminal: true })
  t.match(refused, { code: 4, stderr: /invalid_field: top_p must be <= 1/ })
})

function withoutInput (text: string) {
  return text.replace(/^\{"input":"[^"]*",/, '{')
}
