// covers: src/batches/ask.ts src/batches/batches.ts src/batches/check.ts src/batches/drive.ts
// covers: src/batches/folder.ts src/batches/page.ts src/batches/record.ts src/batches/row.ts
// covers: src/batches/request-line.ts src/plugins/batches.ts
// covers: src/schemas/openai/batches.ts src/plugins/file-form.ts src/routes/openai/batches.ts
// covers: src/routes/openai/files.ts src/routes/openai/lists.ts
/** Files and batches by OpenAI's own client, unmodified, against the model that the repository ships. */
import { readFileSync } from 'node:fs'
import OpenAI, { toFile } from 'openai'
import type { Batch } from 'openai/resources/batches'
import t from 'tap'
import { startApp } from '../fixtures/embedded-app.ts'

const scene = readFileSync(new URL('../fixtures/scene.png', import.meta.url)).toString('base64')
const apple = readFileSync(new URL('../fixtures/apple.png', import.meta.url)).toString('base64')
const question = 'how many objects are there?'
const ended = ['completed', 'failed', 'expired', 'cancelled']

const line = (customId: string, url: string, body: object) => ({ custom_id: customId, method: 'POST', url, body })
const textOf = (lines: object[]) => lines.map(each => `${JSON.stringify(each)}\n`).join('')
const chat = (image: string) => ({
  model: 'lavit-mini',
  seed: 7,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: question },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }
      ]
    }
  ]
})

t.test("OpenAI's client has a file of requests done", async t => {
  const app = await startApp(t, { LAVIT_BATCH_DIR: t.testdir() })
  const client = new OpenAI({ baseURL: `${await app.listen({ port: 0 })}/v1`, apiKey: 'none', maxRetries: 0 })

  async function send (text: string) {
    return client.files.create({ file: await toFile(Buffer.from(text), 'requests.jsonl'), purpose: 'batch' })
  }

  async function run (lines: object[], endpoint: string): Promise<Batch> {
    const file = await send(textOf(lines))
    const created = await client.batches.create({
      input_file_id: file.id,
      endpoint: endpoint as '/v1/chat/completions',
      completion_window: '24h',
      metadata: { of: 'a test' }
    })
    t.match(created, { object: 'batch', status: 'validating', input_file_id: file.id, metadata: { of: 'a test' } })
    return untilEnded(created.id)
  }

  async function untilEnded (id: string): Promise<Batch> {
    for (;;) {
      const batch = await client.batches.retrieve(id)
      if (ended.includes(batch.status)) return batch
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  async function rowsOf (id: string | null | undefined) {
    const text = await (await client.files.content(id ?? '')).text()
    return text.trim().split('\n').map(row => JSON.parse(row))
  }

  t.test('answers and errors become two files, in the order of the lines', async t => {
    const lines = [
      line('a', '/v1/chat/completions', chat(scene)),
      line('b', '/v1/chat/completions', { ...chat(scene), model: 'gpt' }),
      line('c', '/v1/chat/completions', chat(apple))
    ]
    const batch = await run(lines, '/v1/chat/completions')
    t.match(batch, {
      status: 'completed',
      errors: null,
      request_counts: { total: 3, completed: 2, failed: 1 },
      in_progress_at: Number,
      finalizing_at: Number,
      completed_at: Number,
      failed_at: null
    })
    const rows = await rowsOf(batch.output_file_id)
    t.strictSame(rows.map(row => row.custom_id), ['a', 'c'])
    t.match(rows[0], {
      id: /^batch_req_/,
      response: { status_code: 200, body: { object: 'chat.completion', choices: [{ message: { content: 'two' } }] } },
      error: null
    })
    const [error] = await rowsOf(batch.error_file_id)
    t.match(error, {
      custom_id: 'b',
      response: { status_code: 404, body: { code: 'model_not_found', error: { code: 'model_not_found' } } }
    })
    t.match(await client.files.retrieve(batch.output_file_id ?? ''), { purpose: 'batch_output' })
  })

  t.test('every endpoint answers in a row what it answers by itself', async t => {
    const bodies: [string, object][] = [
      ['/caption', { image: scene, seed: 3 }],
      ['/vqa', { image: scene, question, seed: 3 }],
      ['/tokenize', { image: apple }],
      ['/generate', { prompt: 'an apple on a blue background', seed: 3, steps: 2 }],
      ['/v1/images/generations', { prompt: 'an apple on a blue background', seed: 3 }]
    ]
    for (const [url, payload] of bodies) {
      const batch = await run([line('only', url, payload)], url)
      const [row] = await rowsOf(batch.output_file_id)
      const alone = (await app.inject({ method: 'POST', url, payload })).json()
      const body = { ...alone, ...('created' in alone && { created: Number }) }
      t.match(row.response, { status_code: 200, body }, url)
    }
  })

  t.test('what is wrong in a file is told with its line, and nothing is done', async t => {
    const good = line('a', '/vqa', { image: scene, question })
    const text = [
      JSON.stringify(good),
      'not JSON',
      '',
      JSON.stringify(good),
      JSON.stringify({ ...good, custom_id: 'b', url: '/caption' }),
      JSON.stringify({ ...good, custom_id: 'c', method: 'GET' }),
      JSON.stringify({ ...good, custom_id: '' }),
      JSON.stringify({ ...good, custom_id: 'd', body: 1 }),
      JSON.stringify({ ...good, custom_id: 'e', body: { stream: true } })
    ].join('\n')
    const { id } = await send(text)
    const { id: batchId } = await client.batches.create({
      input_file_id: id,
      endpoint: '/vqa' as '/v1/chat/completions',
      completion_window: '24h'
    })
    const batch = await untilEnded(batchId)
    t.match(batch, { status: 'failed', failed_at: Number, output_file_id: null, request_counts: { total: 0 } })
    t.strictSame(
      batch.errors?.data?.map(({ line, code, param }) => [line, code, param]),
      [
        [2, 'invalid_json_line', null],
        [4, 'duplicate_custom_id', 'custom_id'],
        [5, 'invalid_line', 'url'],
        [6, 'invalid_line', 'method'],
        [7, 'invalid_line', 'custom_id'],
        [8, 'invalid_line', 'body'],
        [9, 'invalid_line', 'body.stream']
      ]
    )
    t.match(batch.errors?.data?.[1]?.message, /"a" is that of line 1/)
  })

  t.test('lists go on where they stopped, and what is removed is gone', async t => {
    const sent = [await send('1'), await send('2'), await send('3')].map(({ id }) => id).reverse()
    const page = await client.files.list({ limit: 2, purpose: 'batch' })
    t.strictSame(page.data.map(({ id }) => id), sent.slice(0, 2))
    t.equal((await page.getNextPage()).data[0]?.id, sent[2])
    t.equal((await client.files.list({ order: 'desc' })).data[0]?.id, sent[0])
    const batches = []
    for await (const batch of client.batches.list({ limit: 2 })) batches.push(batch.id)
    t.ok(batches.length >= 7)
    t.equal(new Set(batches).size, batches.length)

    t.match(await client.files.delete(sent[0] ?? ''), { deleted: true })
    await t.rejects(client.files.retrieve(sent[0] ?? ''), { status: 404, code: 'file_not_found' })
    await t.rejects(client.files.content(sent[0] ?? ''), { code: 'file_not_found' })
    const asked = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const
    await t.rejects(client.batches.create({ ...asked, input_file_id: sent[0] ?? '' }), {
      code: 'invalid_field'
    })
    await t.rejects(client.batches.retrieve('batch_none'), { status: 404, code: 'batch_not_found' })
  })

  t.test('a batch that is told to stop keeps what it has done', async t => {
    const lines = Array.from({ length: 200 }, (_, i) => line(`${i}`, '/caption', { image: scene, seed: i }))
    const file = await send(textOf(lines))
    const asked = { endpoint: '/caption' as '/v1/chat/completions', completion_window: '24h' as const }
    const { id } = await client.batches.create({ ...asked, input_file_id: file.id })
    for (let done = 0; done === 0;) done = (await client.batches.retrieve(id)).request_counts?.completed ?? 0
    t.match(await client.batches.cancel(id), { status: 'cancelling', cancelling_at: Number })
    const batch = await untilEnded(id)
    t.match(batch, { status: 'cancelled', cancelled_at: Number, request_counts: { total: 200 } })
    const rows = await rowsOf(batch.output_file_id)
    t.equal(rows.length, batch.request_counts?.completed)
    t.ok(rows.length > 0 && rows.length < 200)
    t.strictSame(rows.map(row => row.custom_id), lines.slice(0, rows.length).map(({ custom_id: name }) => name))
    await t.rejects(client.batches.cancel(id), { status: 400, code: 'invalid_request' })
  })
})
