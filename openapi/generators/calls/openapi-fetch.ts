import assert from 'node:assert/strict'
import createClient from 'openapi-fetch'
import type { components, paths } from '../generated/openapi-typescript/schema.js'
import { image, url } from './given.js'

const client = createClient<paths>({ baseUrl: url })

const tokens = await client.POST('/tokenize', { body: { image } })
assert.ok(tokens.data)
const visualTokens: number[] = tokens.data.visual_tokens
const painted = await client.POST('/detokenize', { body: { visual_tokens: visualTokens } })
assert.equal(painted.data?.images[0]?.media_type, 'image/png')
const captions = await client.POST('/caption', { body: { image, num_beams: 1 } })
assert.match(captions.data?.captions[0]?.text ?? '', /dog/)
const answers = await client.POST('/vqa', { body: { image, question: 'how many objects are there?' } })
assert.equal(answers.data?.answers[0]?.text, 'two')
const part: components['schemas']['PromptPart'] = { type: 'image', image }
const images = await client.POST('/generate', {
  body: { prompt: [part, { type: 'text', text: 'on a red background' }], seed: 7 }
})
assert.equal(images.data?.images.length, 1)
const refused = await client.POST('/generate', { body: { prompt: 'a dog', top_p: 2 } })
assert.equal(refused.error?.code, 'invalid_field')
