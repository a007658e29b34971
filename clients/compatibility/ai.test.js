/** Vercel's AI SDK on the server at LAVIT_URL. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, generateImage, generateText, streamText } from 'ai'

process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
const [scene, apple] = ['scene', 'apple'].map(name =>
  readFileSync(`test/fixtures/${name}.png`)
)
const lavit = createOpenAICompatible({ name: 'lavit', baseURL: `${process.env.LAVIT_URL}/v1`, includeUsage: true })
const model = lavit('lavit-mini')
const ask = text => [{ role: 'user', content: [{ type: 'image', image: scene }, { type: 'text', text }] }]

test('ai: a question about a picture, and what it came to', async () => {
  const { text, finishReason, usage, warnings } = await generateText({
    model,
    system: 'You are terse.',
    messages: ask('how many objects are there?')
  })
  assert.equal(text, 'two')
  assert.equal(finishReason, 'stop')
  const { image_tokens: count } = usage.raw.prompt_tokens_details
  const headers = { 'content-type': 'image/png' }
  const tokenized = await fetch(`${process.env.LAVIT_URL}/tokenize`, { method: 'POST', headers, body: scene })
  assert.equal(count, (await tokenized.json()).visual_tokens.length)
  assert.ok(usage.inputTokens > count, 'the picture is counted among what was read')
  assert.deepEqual(warnings, [])
})

test('ai: a streamed caption', async () => {
  const image = [{ role: 'user', content: [{ type: 'image', image: scene }] }]
  const { textStream, usage } = streamText({ model, messages: image, temperature: 0, seed: 1 })
  const pieces = []
  for await (const piece of textStream) pieces.push(piece)
  assert.match(pieces.join(''), /dog/)
  assert.ok(pieces.length > 2, 'in pieces')
  assert.ok((await usage).outputTokens > 2)
})

test('ai: pictures painted, one of words and one of pictures', async () => {
  const painter = lavit.imageModel('lavit-mini')
  const words = { prompt: 'an apple on a blue background', size: '96x96', seed: 7 }
  const { image } = await generateImage({ model: painter, ...words })
  assert.equal(image.mediaType, 'image/png')
  const pictures = { images: [apple, scene], text: 'on a red background' }
  const edited = await generateImage({ model: painter, prompt: pictures })
  assert.equal(edited.image.mediaType, 'image/png')
})

test('ai: errors are readable', async () => {
  const refused = error => APICallError.isInstance(error) && error.statusCode === 404 && /gpt/.test(error.message)
  await assert.rejects(generateText({ model: lavit('gpt'), messages: ask('what is it?') }), refused)
  const wrong = { model, messages: [{ role: 'user', content: 'hello' }] }
  await assert.rejects(generateText(wrong), /must hold a picture/)
})

test('ai: what the guide shows runs', async t => {
  const snippets = [...readFileSync('docs/clients.md', 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)]
  assert.equal(snippets.length, 1)
  const file = new URL('snippet.js', import.meta.url)
  t.after(() => rmSync(file, { force: true }))
  writeFileSync(file, snippets[0][1].replaceAll('http://127.0.0.1:8080', process.env.LAVIT_URL))
  const log = t.mock.method(console, 'log', () => {})
  await import(file)
  assert.equal(log.mock.calls.at(-1)?.arguments[0], 'two')
})
