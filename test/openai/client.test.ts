// covers: src/openai/chat.ts src/openai/chunks.ts src/openai/created.ts src/openai/errors.ts src/openai/images.ts
// covers: src/routes/openai/chat.ts src/routes/openai/images.ts src/routes/openai/models.ts
/** OpenAI's own client, unmodified, against the model that the repository ships. */
import { readFileSync } from 'node:fs'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import t from 'tap'
import { startApp } from '../fixtures/embedded-app.ts'

const scene = readFileSync(new URL('../fixtures/scene.png', import.meta.url)) // a dog above a rocket, on blue
const apple = readFileSync(new URL('../fixtures/apple.png', import.meta.url))
const model = 'lavit-mini'
const picture = (bytes: Buffer) => ({
  type: 'image_url' as const,
  image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` }
})
const text = (text: string) => ({ type: 'text' as const, text })
const ask = (...content: (ReturnType<typeof text> | ReturnType<typeof picture>)[]) => ({
  model,
  messages: [{ role: 'user' as const, content }]
})

t.test("OpenAI's client does every job", async t => {
  const app = await startApp(t)
  const client = new OpenAI({ baseURL: `${await app.listen({ port: 0 })}/v1`, apiKey: 'none', maxRetries: 0 })
  const answerOf = async (url: string, payload: object) => (await app.inject({ method: 'POST', url, payload })).json()

  t.test('models', async t => {
    const listed = await client.models.list()
    t.match(listed.data, [{ id: model, object: 'model', owned_by: 'lavit' }])
    t.match(await client.models.retrieve(model), { id: model })
    await t.rejects(client.models.retrieve('none'), { status: 404, code: 'model_not_found' })
  })

  t.test('a picture and a text are a question, a picture alone gets a caption', async t => {
    const image = scene.toString('base64')
    const question = 'how many objects are there?'
    const { choices, usage } = await client.chat.completions.create(ask(text(question), picture(scene)))
    const { answers, usage: ours } = await answerOf('/vqa', { image, question })
    t.match(choices, [{ index: 0, message: { role: 'assistant', content: answers[0].text }, finish_reason: 'stop' }])
    t.equal(usage?.prompt_tokens, ours.prompt_tokens + ours.visual_tokens)
    t.match(usage, { completion_tokens: ours.completion_tokens, prompt_tokens_details: { image_tokens: Number } })

    const captioned = await client.chat.completions.create(ask(picture(scene)))
    t.equal(captioned.choices[0]?.message.content, (await answerOf('/caption', { image })).captions[0].text)
  })

  t.test('the last question counts, and the last picture before it', async t => {
    const { choices } = await client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content: [picture(apple), text('what is it?')] },
        { role: 'assistant', content: 'red apple' },
        { role: 'user', content: [picture(scene)] },
        { role: 'user', content: 'how many objects are there?' }
      ]
    })
    t.equal(choices[0]?.message.content, 'two')
  })

  t.test('streams say what the whole answer says', async t => {
    const request = { ...ask(picture(scene)), temperature: 0, seed: 1 }
    const whole = await client.chat.completions.create(request)
    const chunks = []
    const stream = await client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true }
    })
    for await (const chunk of stream) chunks.push(chunk)
    t.equal(chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join(''), whole.choices[0]?.message.content)
    t.ok(chunks.length > 4, 'in pieces')
    t.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
    t.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop')
    t.strictSame(chunks.at(-1)?.usage, whole.usage)
  })

  t.test('words are painted, and pictures are painted anew', async t => {
    const painted = await client.images.generate({ model, prompt: 'an apple on a blue background', size: 'auto' })
    const file = await sharp(Buffer.from(painted.data?.[0]?.b64_json ?? '', 'base64')).metadata()
    t.match(file, { format: 'png', width: 96, height: 96 })
    t.match(painted, { size: '96x96', usage: { input_tokens_details: { image_tokens: 0 } } })

    const { seed } = { seed: 0, ...painted.data?.[0] }
    const again = await answerOf('/v1/images/generations', { prompt: 'an apple on a blue background', seed })
    t.strictSame(again.data, painted.data, 'the seed that was drawn paints it again')

    for (const image of [await toFile(apple, 'a.png'), [await toFile(apple, 'a.png'), await toFile(scene, 'b.png')]]) {
      const edited = await client.images.edit({ model, image, prompt: 'on a red background' })
      t.ok(edited.data?.[0]?.b64_json)
      t.ok((edited.usage?.input_tokens_details.image_tokens ?? 0) > 0)
    }
    const events = []
    const asked = { model, prompt: 'an apple on a blue background', stream: true as const, partial_images: 3 }
    for await (const event of await client.images.generate(asked)) {
      t.ok(event.b64_json)
      events.push(event.type)
    }
    t.equal(events.at(-1), 'image_generation.completed')
    t.equal(events[0], 'image_generation.partial_image')
  })

  t.test('errors tell what is wrong', async t => {
    const refused: [Promise<unknown>, Record<string, unknown>][] = [
      [client.chat.completions.create(ask(text('hello'))), { status: 422, param: 'messages' }],
      [client.chat.completions.create(ask(picture(scene), picture(apple))), { status: 400 }],
      [client.chat.completions.create({ ...ask(picture(scene)), model: 'gpt' }), { code: 'model_not_found' }],
      [client.chat.completions.create({ ...ask(picture(scene)), stop: '.' }), { status: 400, param: 'stop' }],
      [client.chat.completions.create({ ...ask(picture(scene)), logprobs: true }), { status: 400, param: 'logprobs' }],
      [client.images.generate({ model, prompt: 'an apple', size: '1024x1024' }), { status: 422, param: 'size' }],
      [
        client.images.edit({ model, image: await toFile(apple), mask: await toFile(apple), prompt: 'x' }),
        { status: 400, code: 'invalid_request', param: 'mask' }
      ]
    ]
    for (const [call, expected] of refused) {
      t.match(await call.catch((error: unknown) => error), expected)
    }
    const harmless = { tools: [], user: 'a', stop: null, response_format: { type: 'text' as const } }
    t.ok(await client.chat.completions.create({ ...ask(picture(scene)), ...harmless }))
  })
})
