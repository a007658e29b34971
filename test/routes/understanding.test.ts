import t from 'tap'
import { answerWork, base64, buildTestApp, form, manifest, png } from '../helper.ts'

t.test('POST /caption', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object, headers = {}) => app.inject({ method: 'POST', url: '/caption', payload, headers })

  t.test('answers with the caption and usage', async t => {
    const response = await post({ image: base64, seed: 7 })
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), {
      model: 'lavit-mini',
      captions: [{ text: 'two cats', log_probability: -1, finish_reason: 'stop' }],
      seed: 7,
      usage: { visual_tokens: 3, prompt_tokens: 0, completion_tokens: 10 }
    })
    t.match(app.seen.works.at(-1), { task: 'text', segments: [{ kind: 'ids', ids: [300] }, { kind: 'features' }, { kind: 'ids', ids: [301] }], numBeams: 2, n: 1, sampling: { maxTokens: 20, seed: 7 } })
  })

  t.test('puts the prompt after the picture', async t => {
    t.match((await post({ image: base64, prompt: 'abc' })).json(), { usage: { prompt_tokens: 3 } })
    t.match(app.seen.works.at(-1), { segments: [{}, {}, { ids: [301, 97, 98, 99] }] })
  })

  t.test('draws a seed where none is sent, and gives it back', async t => {
    const { seed } = (await post({ image: base64 })).json()
    t.match(app.seen.works.at(-1), { sampling: { seed } })
  })

  t.test('reads visual tokens in place of the picture, and says so', async t => {
    t.match((await post({ visual_tokens: [0, 99] })).json(), { approximate: true, usage: { visual_tokens: 2 } })
    t.match(app.seen.works.at(-1), { segments: [{}, { kind: 'ids', ids: [302, 401] }, {}] })
  })

  t.test('chooses patches by the request, or by the model', async t => {
    await post({ image: base64, seed: 7 })
    t.match(app.seen.works.at(-1), { segments: [{}, { picture: { selection: { rule: 'threshold', keepThreshold: 0.5, seed: 7 } } }, {}] })
    await post({ image: base64, seed: 7, selection: 'sample', max_visual_tokens: 4 })
    t.match(app.seen.works.at(-1), { segments: [{}, { picture: { selection: { rule: 'sample', seed: 7, maxVisualTokens: 4 } } }, {}] })
    t.match((await post({ image: base64, max_visual_tokens: 1 })).json(), { code: 'invalid_field', errors: [{ pointer: '/max_visual_tokens' }] })
  })

  t.test('ends the search early, and works on the text, by the request or by the model', async t => {
    const told = await buildTestApp(t, {
      model: { ...manifest, tasks: { ...manifest.tasks, caption: { ...manifest.tasks.caption, early_stopping: true, postprocess: 'lemmatised_answer' } } }
    })
    const textOf = async (payload: object) => (await told.inject({ method: 'POST', url: '/caption', payload: { image: base64, ...payload } })).json().captions[0].text
    t.equal(await textOf({}), 'two cat')
    t.match(told.seen.works.at(-1), { earlyStopping: true })
    t.equal(await textOf({ postprocess: 'none', early_stopping: false }), 'two cats')
    t.match(told.seen.works.at(-1), { earlyStopping: false })
  })

  t.test('takes options with a raw picture and in a form', async t => {
    const raw = await app.inject({ method: 'POST', url: '/caption', query: { prompt: '12', num_beams: '3', temperature: '0' }, payload: png, headers: { 'content-type': 'image/png' } })
    t.equal(raw.json().usage.prompt_tokens, 2, raw.body)
    t.match(app.seen.works.at(-1), { numBeams: 3 })
    const sent = await app.inject({ method: 'POST', url: '/caption', ...form([['prompt', '12'], ['top_p', '0.5'], ['stream', 'false'], ['image', png]]) })
    t.equal(sent.statusCode, 200, sent.body)
    t.match(app.seen.works.at(-1), { sampling: { topP: 0.5 } })
  })

  const refused: [object, string, string?][] = [
    [{}, 'invalid_field', '/image'],
    [{ image: base64, visual_tokens: [1] }, 'invalid_field', '/image'],
    [{ visual_tokens: [] }, 'invalid_field', '/visual_tokens'],
    [{ visual_tokens: [1, 100] }, 'invalid_field', '/visual_tokens/1'],
    [{ visual_tokens: [-1] }, 'invalid_field', '/visual_tokens/0'],
    [{ visual_tokens: [1.5] }, 'invalid_field', '/visual_tokens/0'],
    [{ visual_tokens: Array(17).fill(1) }, 'invalid_field', '/visual_tokens'],
    [{ visual_tokens: Array(5000).fill(1) }, 'invalid_field', '/visual_tokens'],
    [{ image: base64, postprocess: 'shout' }, 'invalid_field', '/postprocess'],
    [{ image: base64, selection: 'best' }, 'invalid_field', '/selection'],
    [{ image: base64, n: 9 }, 'invalid_field', '/n'],
    [{ image: base64, top_p: 0 }, 'invalid_field', '/top_p'],
    [{ image: base64, min_tokens: 21 }, 'invalid_field', '/min_tokens'],
    [{ image: base64, stream: true }, 'invalid_field', '/stream'],
    [{ image: base64, max_tokens: 90 }, 'too_large'],
    [{ image: base64, prompt: 'a'.repeat(90) }, 'too_large'],
    [{ image: base64, prompt: 'a'.repeat(4001) }, 'too_large']
  ]
  for (const [payload, code, pointer] of refused) {
    t.test(`refuses ${JSON.stringify(payload).replace(base64, '…').slice(0, 60)} with ${code}`, async t => {
      const problem = (await post(payload)).json()
      t.equal(problem.code, code, problem.detail)
      if (pointer) t.match(problem.errors, [{ pointer }])
    })
  }

  t.test('streams nothing yet', async t => {
    t.equal((await post({ image: base64 }, { accept: 'text/event-stream' })).statusCode, 406)
  })
})

t.test('POST /vqa', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object) => app.inject({ method: 'POST', url: '/vqa', payload })

  t.test('fills the question into the model\'s prompt', async t => {
    const question = 'what is $& {question}?'
    t.match((await post({ image: base64, question })).json(), { model: 'lavit-mini', answers: [{ text: 'two cats', log_probability: -1, finish_reason: 'stop' }] })
    const { segments } = app.seen.works.at(-1) as unknown as { segments: { ids: number[] }[] }
    t.equal(String.fromCodePoint(...segments[2]!.ids.slice(1)), `Question: ${question} Answer:`)
    t.match(app.seen.works.at(-1), { numBeams: manifest.tasks.vqa.num_beams, sampling: { maxTokens: 5 } })
  })

  t.test('needs a question', async t => {
    for (const question of [undefined, '', '  ']) t.match((await post({ image: base64, question })).json(), { code: 'invalid_field', errors: [{ pointer: '/question' }] })
  })

  t.test('needs it in the query of a raw picture too', async t => {
    const response = await app.inject({ method: 'POST', url: '/vqa', payload: png, headers: { 'content-type': 'image/png' } })
    t.match(response.json(), { code: 'invalid_field', errors: [{ pointer: '/question' }] })
  })
})

t.test('a deadline and the client\'s leaving go with the work', async t => {
  const app = await buildTestApp(t, { submit: answerWork })
  await app.inject({ method: 'POST', url: '/caption', payload: { image: base64, deadline_ms: 5000 } })
  const [options] = app.seen.options
  t.ok(options!.deadlineMs! > 0 && options!.deadlineMs! <= 5000)
  t.ok(options!.signal instanceof AbortSignal)
})
