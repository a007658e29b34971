/**
 * Sends the same random requests of every job to two servers and compares their answers:
 * `tsx bench/compare.ts http://127.0.0.1:8080 http://127.0.0.1:8081 [requests] [seed] [at once]`.
 * Texts, codes, masks and pictures must be equal; numbers may differ by 1e-4.
 */
import { readFileSync } from 'node:fs'
import { createRandom } from '../src/engine/drawing/random.ts'
import { prompts, questions } from './jobs.ts'

const [first, second, count = '500', seed = '1', atOnce = '4'] = process.argv.slice(2)
if (first === undefined || second === undefined) {
  throw new Error('usage: compare.ts URL URL [requests] [seed] [at once]')
}
const servers = [first, second]
const random = createRandom(Number(seed), 'tokens')
const pictures = ['scene', 'apple', 'four'].map(name =>
  readFileSync(new URL(`../test/fixtures/${name}.png`, import.meta.url)).toString('base64')
)
const tolerance = 1e-4

type Request = { route: string; body: Record<string, unknown> }

const pick = <T>(from: readonly T[]): T => from[Math.floor(random.uniform() * from.length)] ?? from[0]!
const chance = (share: number) => random.uniform() < share
const whole = (least: number, most: number) => least + Math.floor(random.uniform() * (most - least + 1))

function anySelection () {
  return pick([{}, { keep_threshold: random.uniform() }, { max_visual_tokens: whole(4, 64) }, { selection: 'sample' }])
}

function anyText () {
  const n = whole(1, 3)
  return pick([
    {},
    {},
    { num_beams: whole(2, 5), n: whole(1, 2) },
    { temperature: 0.5 + random.uniform(), n, num_beams: 1, top_p: pick([1, 0.9]), top_k: pick([0, 5]) },
    { num_beams: 1, max_tokens: whole(1, 12) },
    { num_beams: 1, repetition_penalty: 1.3 }
  ])
}

function anyRequest (): Request {
  const image = pick(pictures)
  const seed = whole(0, 2 ** 31)
  switch (pick(['tokenize', 'caption', 'vqa', 'generate', 'detokenize'])) {
    case 'tokenize':
      return { route: 'tokenize', body: { image, seed, ...anySelection() } }
    case 'caption':
      return { route: 'caption', body: { image, seed, ...anySelection(), ...anyText() } }
    case 'vqa':
      return { route: 'vqa', body: { image, seed, question: pick(questions), ...anySelection(), ...anyText() } }
    case 'detokenize':
      return {
        route: 'detokenize',
        body: {
          visual_tokens: Array.from({ length: whole(4, 30) }, () => whole(0, 65_535)),
          seed,
          ...(chance(0.3) && { steps: whole(0, 4) })
        }
      }
    default: {
      const text = pick(prompts)
      const prompt = chance(0.3)
        ? [
            { type: 'image', image },
            { type: 'text', text: 'on a red background' }
          ]
        : text
      const how = pick([
        {},
        {},
        { guidance_scale: 1 },
        { top_k: 0 },
        { top_k: 100, temperature: 1 },
        { temperature: 0 },
        { top_p: 0.9 }
      ])
      return { route: 'generate', body: { prompt, seed, n: whole(1, 2), ...how } }
    }
  }
}

async function ask (server: string, { route, body }: Request) {
  const response = await fetch(new URL(route, server), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return { status: response.status, answer: (await response.json()) as unknown }
}

/** Where two answers differ, as a path; numbers that are no whole ones may differ a little. */
function difference (a: unknown, b: unknown, path = ''): string | undefined {
  if (typeof a === 'number' && typeof b === 'number' && !Number.isInteger(a)) {
    return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a)) ? undefined : `${path}: ${a} and ${b}`
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b ? undefined : `${path}: ${String(a).slice(0, 80)} and ${String(b).slice(0, 80)}`
  }
  const fresh = new Set(['request_id', 'image_ref', 'score', 'familiarity', 'warnings'])
  for (const key of Object.keys(a)) {
    if (fresh.has(key)) continue
    const found = difference((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}/${key}`)
    if (found) return found
  }
}

const requests = Array.from({ length: Number(count) }, anyRequest)
const left = Array.from(requests.entries())
const statuses: Record<string, number> = {}
let differing = 0
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, request] = next
      const [a, b] = await Promise.all(servers.map(server => ask(server, request)))
      const found = difference(a, b)
      const key = `${request.route} ${a?.status}`
      statuses[key] = (statuses[key] ?? 0) + 1
      if (!found) continue
      differing++
      const { image, prompt, ...rest } = request.body
      console.log(`request ${index} ${request.route} ${JSON.stringify(rest).slice(0, 200)}\n  ${found}`)
    }
  })
)
console.log(`${requests.length} requests, ${differing} differ`, statuses)
process.exitCode = differing > 0 ? 1 : 0
