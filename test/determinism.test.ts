/** The same seeded request has the same bytes alone and among neighbours of all kinds, with one engine and with two. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from './fixtures/embedded-app.ts'

const [scene, apple, four] = ['scene', 'apple', 'four'].map(name =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${name}.png`)).toString('base64')
)

/** One of each kind about a picture. */
function requestsOf (image: string | undefined, seed: number): [url: string, payload: object][] {
  const text = { type: 'text', text: 'on a red background' }
  return [
    ['/tokenize', { image, seed, selection: 'sample' }],
    ['/caption', { image, seed, num_beams: 2 }],
    ['/caption', { image, seed, num_beams: 1 }],
    ['/vqa', { image, seed, question: 'what is there?', temperature: 1 }],
    ['/generate', { prompt: [{ type: 'image', image }, text], seed, guidance_scale: 3, temperature: 1, steps: 1 }],
    ['/detokenize', { visual_tokens: [17, 902, 3071, seed], seed, steps: 2, guidance_scale: 2 }]
  ]
}

const asked = requestsOf(scene, 7)
const neighbours = [requestsOf(apple, 11), requestsOf(four, 13), requestsOf(scene, 17)].flat()

t.test('the same bytes', async t => {
  const solo = new Map<string, string>()
  for (const engines of ['1', '2']) {
    // nothing is kept, so that every picture goes through the graphs again
    const app = await startApp(t, { LAVIT_ENGINES: engines, LAVIT_IMAGE_CACHE_MB: '0' })
    const bytesOf = async ([url, payload]: [string, object]) => {
      const { statusCode, body } = await app.inject({ method: 'POST', url, payload })
      t.equal(statusCode, 200, body.slice(0, 200))
      return body
    }
    for (const [i, request] of asked.entries()) {
      const name = `${i} ${request[0]}`
      const alone = await bytesOf(request)
      if (!solo.has(name)) solo.set(name, alone)
      t.equal(alone, solo.get(name), `${name} alone, engines: ${engines}`)
    }
    for (const [count, together] of [[1, 1], [4, 1], [16, 3]] as const) {
      for (let i = 0; i < asked.length; i += together) {
        const mine = asked.slice(i, i + together)
        const beside = Array.from({ length: count }, (_, j) => neighbours[(i + 5 * j) % neighbours.length]!)
        const answers = await Promise.all([...mine, ...beside].map(bytesOf))
        for (const [j, [url]] of mine.entries()) {
          t.equal(answers[j], solo.get(`${i + j} ${url}`), `${i + j} ${url} among ${count}, engines: ${engines}`)
        }
      }
    }
  }
})

t.test('the same bytes about a picture that was seen, whoever saw it and how often', async t => {
  const questions = ['what is there?', 'how many objects are there, below the apple or above it?']
  const works = questions.flatMap(question => [
    ['/vqa', { question, seed: 7 }],
    ['/vqa', { question, seed: 7, num_beams: 2, max_visual_tokens: 20 }],
    ['/caption', { prompt: question, seed: 7, temperature: 1, selection: 'sample', n: 2 }],
    ['/caption', { seed: 7 }]
  ] as const)
  const expected: string[] = []
  for (const [engines, mib] of [['1', '0'], ['1', '64'], ['2', '64'], ['1', '1']] as const) {
    const app = await startApp(t, { LAVIT_ENGINES: engines, LAVIT_IMAGE_CACHE_MB: mib })
    const ask = async ([url, options]: (typeof works)[number], image: unknown) => {
      const { statusCode, body } = await app.inject({ method: 'POST', url, payload: { image, ...options } })
      t.equal(statusCode, 200, body.slice(0, 200))
      const { image_ref: ref, ...answer } = JSON.parse(body)
      return { ref, answer: JSON.stringify(answer) }
    }
    const name = (i: number, how: string) => `${i} ${works[i]?.[0]} ${how}, engines: ${engines}, MiB: ${mib}`
    const sent = await Promise.all(works.map(work => ask(work, scene)))
    for (const [i, { answer }] of sent.entries()) t.equal(answer, (expected[i] ??= answer), name(i, 'at once'))
    for (const [i, work] of works.entries()) {
      const again = await ask(work, scene)
      t.equal(again.answer, expected[i], name(i, 'again'))
      if (mib !== '0') t.equal((await ask(work, { ref: again.ref })).answer, expected[i], name(i, 'by name'))
    }
  }
})
