import assert from 'node:assert/strict'
import { caption, detokenize, generate, tokenize, vqa, type PromptPart } from '../generated/orval/client.js'
import { image } from './given.js'

const tokens = await tokenize({ image })
assert.ok(tokens.status === 200)
const painted = await detokenize({ visual_tokens: tokens.data.visual_tokens })
assert.ok(painted.status === 200)
assert.equal(painted.data.images[0]?.media_type, 'image/png')
const captions = await caption({ image, num_beams: 1 })
assert.ok(captions.status === 200)
assert.match(captions.data.captions[0]?.text ?? '', /dog/)
const answers = await vqa({ image, question: 'how many objects are there?' })
assert.ok(answers.status === 200)
assert.equal(answers.data.answers[0]?.text, 'two')
const part: PromptPart = { type: 'image', image }
const images = await generate({ prompt: [part, { type: 'text', text: 'on a red background' }], seed: 7 })
assert.ok(images.status === 200)
assert.equal(images.data.images.length, 1)
const refused = await generate({ prompt: 'a dog', top_p: 2 })
assert.ok(refused.status === 422)
assert.equal(refused.data.code, 'invalid_field')
