import assert from 'node:assert/strict'
import { caption, detokenize, generate, tokenize, vqa, type PromptPart } from '../generated/hey-api/index.js'
import { client } from '../generated/hey-api/client.gen.js'
import { image, url } from './given.js'

client.setConfig({ baseUrl: url })

const tokens = await tokenize({ body: { image }, throwOnError: true })
const painted = await detokenize({ body: { visual_tokens: tokens.data.visual_tokens }, throwOnError: true })
assert.equal(painted.data.images[0]?.media_type, 'image/png')
const captions = await caption({ body: { image, num_beams: 1 }, throwOnError: true })
assert.match(captions.data.captions[0]?.text ?? '', /dog/)
const answers = await vqa({ body: { image, question: 'how many objects are there?' }, throwOnError: true })
assert.equal(answers.data.answers[0]?.text, 'two')
const part: PromptPart = { type: 'image', image }
const images = await generate({
  body: { prompt: [part, { type: 'text', text: 'on a red background' }], seed: 7 },
  throwOnError: true
})
assert.equal(images.data.images.length, 1)
const refused = await generate({ body: { prompt: 'a dog', top_p: 2 } })
assert.equal(refused.error?.code, 'invalid_field')
