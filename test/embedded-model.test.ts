// covers: src/tasks/follow-painting.ts
/** The whole way, HTTP to graphs and back, with the model that the repository ships. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { startApp } from './fixtures/embedded-app.ts'
import { eventsOf, textOf } from './fixtures/events.ts'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name))
const apple = fixture('apple.png') // an apple on a yellow ground
const scene = fixture('scene.png') // a dog above a rocket, on a blue ground
const four = fixture('four.png') // a cat, a guitar, a pizza and an umbrella, on a white ground

t.test('the embedded model', async t => {
  const app = await startApp(t)

  async function send (url: string, picture: Buffer, accept = 'application/json') {
    const response = await app.inject({
      method: 'POST',
      url,
      payload: picture,
      headers: { 'content-type': 'image/png', accept }
    })
    t.equal(response.statusCode, 200, response.body)
    return response
  }

  t.test('captions name what is there', async t => {
    const captionOf = async (picture: Buffer) => (await send('/caption', picture)).json().captions[0].text
    for (const word of ['apple', 'yellow']) t.match(await captionOf(apple), word)
    const text = await captionOf(scene)
    for (const word of ['dog', 'rocket', 'blue']) t.match(text, word)
  })

  t.test('questions are answered', async t => {
    const answerOf = async (picture: Buffer, question: string) =>
      (await send(`/vqa?question=${encodeURIComponent(question)}`, picture)).json().answers[0].text
    t.equal(await answerOf(scene, 'what color is the background?'), 'blue')
    t.equal(await answerOf(scene, 'how many objects are there?'), 'two')
    t.equal(await answerOf(apple, 'what is it?'), 'red apple')

    // as people put them, and what no picture tells
    const words: [Buffer, string, string][] = [
      [scene, 'which thing does this picture show?', 'a dog and a rocket'],
      [scene, 'WHAT COLOUR IS THE DOG?', 'orange'],
      [scene, 'could you please tell me, where is the rocket', 'bottom'],
      [scene, 'list everything', 'a dog and a rocket'],
      [scene, 'how much does the rocket cost?', "i don't know"],
      [apple, 'wher is the apple', 'center'],
      [four, 'is the dog happy?', "i don't know"],
      [four, 'tell me whether there is a pizza', 'yes']
    ]
    for (const [picture, question, answer] of words) t.equal(await answerOf(picture, question), answer, question)
    const description = await answerOf(four, 'describe the picture')
    for (const word of ['cat', 'guitar', 'pizza', 'umbrella', 'white']) t.match(description, word)
  })

  t.test('a picture of the world outside is warned of, pictograms are not', async t => {
    const outdoors = await photograph()
    const { threshold } = (await app.inject('/models/lavit-mini')).json().familiarity
    for (const url of ['/tokenize', '/caption', '/vqa?question=what+is+it%3F']) {
      const strange = (await send(url, outdoors)).json()
      t.ok(strange.familiarity >= 0 && strange.familiarity < threshold, `${url}: ${strange.familiarity}`)
      t.match(strange.warnings, [{ code: 'outside_domain', detail: String }])
      for (const picture of [apple, scene, four]) {
        const { familiarity, warnings } = (await send(url, picture)).json()
        t.ok(familiarity > 0.5 && familiarity <= 1, `${url}: ${familiarity}`)
        t.equal(warnings, undefined)
      }
    }
    const { visual_tokens: tokens } = (await send('/tokenize', outdoors)).json()
    const reread = (await app.inject({ method: 'POST', url: '/caption', payload: { visual_tokens: tokens } })).json()
    t.notOk('familiarity' in reread || 'warnings' in reread, 'tokens are no picture')
  })

  t.test('a picture that was seen answers by its name, as if it were sent again', async t => {
    const ask = async (url: string, payload: object) => {
      const response = await app.inject({ method: 'POST', url, payload })
      t.equal(response.statusCode, 200, response.body)
      return response.json()
    }
    const image = four.toString('base64')
    const { image_ref: name } = await ask('/tokenize', { image })
    t.match(name, /^img_/)
    const jobs: [string, object][] = [
      ['/tokenize', { keep_threshold: 0.9 }],
      ['/tokenize', { max_visual_tokens: 5 }],
      ['/caption', { seed: 1 }],
      ['/vqa', { seed: 1, question: 'how many objects are there?' }],
      ['/vqa', { seed: 1, question: 'what is there?', selection: 'sample', temperature: 1, n: 2 }]
    ]
    for (const [url, options] of jobs) {
      t.strictSame(await ask(url, { image: { ref: name }, ...options }), await ask(url, { image, ...options }), url)
    }
    const text = { type: 'text', text: 'on a red background' }
    const painted = (shown: unknown) => ask('/generate', { prompt: [{ type: 'image', image: shown }, text], seed: 3 })
    t.strictSame(await painted({ ref: name }), await painted(image))
    const png = { url: '/tokenize', payload: { image: { ref: name } }, headers: { accept: 'image/png' } }
    t.match((await app.inject({ method: 'POST', ...png })).json(), { code: 'invalid_field', detail: /picture itself/ })
  })

  t.test('more content keeps more tokens, and they paint the picture again', async t => {
    const smaller = await sharp(apple)
      .extend({ top: 96, bottom: 96, left: 96, right: 96, background: '#f8e045' })
      .png()
      .toBuffer()
    const [few, one, many] = await Promise.all(
      [smaller, apple, four].map(async picture => (await send('/tokenize', picture)).json().count)
    )
    t.ok(few < one, `${few} of a small apple, ${one} of a large one`)
    t.ok(few < many, `${few} of a small apple, ${many} of four objects`)
    const payload = { visual_tokens: (await send('/tokenize', scene)).json().visual_tokens }
    const response = await app.inject({ method: 'POST', url: '/detokenize', payload, headers: { accept: 'image/png' } })
    t.equal(await groundOf(response.rawPayload), 'blue')
  })

  t.test('words are painted, and the same seed gives the same bytes', async t => {
    const paint = (prompt: unknown) =>
      app.inject({ method: 'POST', url: '/generate', payload: { prompt, seed: 7 }, headers: { accept: 'image/png' } })
    for (const colour of ['red', 'green', 'blue']) {
      const [first, second] = await Promise.all([1, 2].map(() => paint(`an apple on a ${colour} background`)))
      t.equal(await groundOf(first!.rawPayload), colour)
      t.strictSame(first!.rawPayload, second!.rawPayload)
    }
  })

  t.test('streams end with the bytes of the whole answer, and tell it in pieces', async t => {
    const image = scene.toString('base64')
    const jobs: [string, object][] = [
      ['/caption', { image, seed: 7, num_beams: 1 }],
      ['/caption', { image, seed: 7, num_beams: 1, temperature: 1.5 }],
      ['/caption', { image, seed: 7 }],
      ['/vqa', { image, seed: 7, num_beams: 1, question: 'what is it?' }],
      ['/generate', { prompt: 'an apple on a blue background', seed: 7, n: 2, steps: 0 }],
      ['/generate', { prompt: 'an apple on a blue background', seed: 7, previews: 2 }]
    ]
    for (const [url, payload] of jobs) {
      const whole = await app.inject({ method: 'POST', url, payload })
      t.equal(whole.statusCode, 200, whole.body)
      const events = eventsOf((await app.inject({ method: 'POST', url, payload: { ...payload, stream: true } })).body)
      t.equal(events[0]?.event, 'queued')
      t.strictSame(
        events.filter(({ event }) => event === 'done' || event === 'error'),
        [{ event: 'done', data: whole.body }]
      )
      const { captions, answers, images = [] } = whole.json()
      if (url !== '/generate') t.equal(textOf(events), (captions ?? answers)[0].text)
      const told = events.filter(({ event }) => event === 'token').map(({ data }) => JSON.parse(data))
      for (const [i, { visual_tokens: codes }] of images.entries()) {
        t.strictSame(
          told.filter(({ index }) => index === i).map(token => token.visual_token),
          codes
        )
        const previews = events.filter(({ event }) => event === 'preview').map(({ data }) => JSON.parse(data))
        for (const preview of previews) {
          t.strictSame(preview.visual_tokens, codes.slice(0, preview.visual_tokens.length), 'of the first tokens')
          const detokenized = { visual_tokens: preview.visual_tokens, seed: 7, steps: 0 }
          const { images } = (await app.inject({ method: 'POST', url: '/detokenize', payload: detokenized })).json()
          t.equal(preview.data, images[0].data, 'painted as they are by themselves')
        }
        if ('previews' in payload) t.ok(previews.length > 0, `${previews.length} previews of ${codes.length} tokens`)
      }
    }
  })
})

/** Like a photograph of a meadow under clouds: soft shades, grain everywhere, nothing with an outline. */
async function photograph () {
  const [width, height] = [240, 180]
  let state = 1
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5
  const pixels = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const shade = 30 * Math.sin(x / 31 + Math.sin(y / 17)) + 20 * Math.sin(y / 9 + x / 53)
      const isSky = y < 80 + 8 * Math.sin(x / 25)
      const [red, green, blue] = isSky ? [150, 175, 215] : [80, 105 - y / 4, 45]
      const grain = 50 * random()
      const colour = [red + shade, green + shade, blue + shade / 2]
      for (const [channel, value] of colour.entries()) {
        pixels[(y * width + x) * 3 + channel] = Math.max(0, Math.min(255, value + grain))
      }
    }
  }
  return await sharp(pixels, { raw: { width, height, channels: 3 } }).blur(0.7).jpeg({ quality: 80 }).toBuffer()
}

/** The strongest channel along the border of a picture. */
async function groundOf (picture: Buffer) {
  const {
    data,
    info: { width, height, channels }
  } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
  const sums = [0, 0, 0]
  for (let x = 0; x < width; x++) {
    for (const y of [0, height - 1]) {
      for (const channel of sums.keys()) sums[channel]! += data[(y * width + x) * channels + channel]!
    }
  }
  return ['red', 'green', 'blue'][sums.indexOf(Math.max(...sums))]
}
