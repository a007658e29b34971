// covers: src/routes/caption.ts src/routes/vqa.ts src/tasks/caption.ts src/tasks/prompt.ts src/tasks/vqa.ts
import t from 'tap'
import { base64, buildTestApp, form, png } from '../helper.ts'
import { manifest } from '../fixtures/manifest.ts'

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
    t.match(app.seen.works.at(-1), {
      task: 'text',
      segments: [{ kind: 'ids', ids: [300] }, { kind: 'features' }, { kind: 'ids', ids: [301] }],
      numBeams: 2,
      n: 1,
      sampling: { maxTokens: 20, seed: 7 }
    })
  })

  t.test('puts the prompt after the picture', async t => {
    t.match((await post({ image: base64, prompt: 'abc' })).json(), { usage: { prompt_tokens: 3 } })
    t.match(app.seen.works.at(-1), { segments: [{}, {}, { ids: [301, 97, 98, 99] }] })
  })

  t.test('a blank prompt is none, and space around one changes nothing', async t => {
    for (const prompt of ['', ' ', '\n', '\u200b', '\ufeff \t']) {
      t.match((await post({ image: base64, prompt })).json(), { usage: { prompt_tokens: 0 } }, JSON.stringify(prompt))
      t.match(app.seen.works.at(-1), { segments: [{}, {}, { ids: [301] }] })
    }
    for (const prompt of ['\u00e9a', ' \u00e9a\n', 'e\u0301a\u200b']) {
      await post({ image: base64, prompt })
      t.strictSame((app.seen.works.at(-1) as unknown as { segments: object[] }).segments[2], {
        kind: 'ids',
        ids: [301, 105, 97]
      })
    }
  })

  t.test('tells scores and seeds of texts where they have them', async t => {
    const sequences = [
      { ids: [97], logProbability: -1, finishReason: 'stop' as const, score: -0.5 },
      { ids: [98], logProbability: -0.9, finishReason: 'stop' as const, seed: 8 }
    ]
    const told = await buildTestApp(t, { submit: async () => ({ sequences, visualTokens: 3, promptTokens: 0 }) })
    const { captions } = (
      await told.inject({ method: 'POST', url: '/caption', payload: { image: base64, n: 2 } })
    ).json()
    t.strictSame(captions, [
      { text: 'a', log_probability: -1, score: -0.5, finish_reason: 'stop' },
      { text: 'b', log_probability: -0.9, seed: 8, finish_reason: 'stop' }
    ])
  })

  t.test('bounds the number of visual tokens on both sides', async t => {
    await post({ image: base64, min_visual_tokens: 5, max_visual_tokens: 5 })
    t.match(app.seen.works.at(-1), {
      segments: [{}, { picture: { selection: { minVisualTokens: 5, maxVisualTokens: 5 } } }, {}]
    })
    t.match((await post({ image: base64, min_visual_tokens: 17 })).json(), {
      code: 'invalid_field',
      errors: [{ pointer: '/min_visual_tokens', message: 'must be <= 16 for this model' }]
    })
    t.match((await post({ image: base64, min_visual_tokens: 6, max_visual_tokens: 5 })).json(), {
      code: 'invalid_field',
      errors: [{ pointer: '/min_visual_tokens', message: 'must be <= max_visual_tokens (5)' }]
    })
  })

  t.test('refuses before it reads pixels', async t => {
    const image = png.subarray(0, 60).toString('base64')
    t.equal((await post({ image })).json().code, 'image_unreadable')
    const cases: [object, string][] = [
      [{ prompt: 'a'.repeat(70) }, 'too_large'],
      [{ max_tokens: 90 }, 'too_large'],
      [{ num_beams: 2, temperature: 1 }, 'invalid_field'],
      [{ model: 'nope' }, 'model_not_found'],
      [{ max_visual_tokens: 1 }, 'invalid_field']
    ]
    for (const [options, code] of cases) {
      t.equal((await post({ image, ...options })).json().code, code, JSON.stringify(options))
    }
    const small = await buildTestApp(t, { environment: { LAVIT_SLOTS: '2' } })
    t.match((await small.inject({ method: 'POST', url: '/caption', payload: { image, num_beams: 3 } })).json(), {
      code: 'too_large',
      detail: /needs 3 sequences/
    })
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
    t.match(app.seen.works.at(-1), {
      segments: [{}, { picture: { selection: { rule: 'threshold', keepThreshold: 0.5, seed: 7 } } }, {}]
    })
    await post({ image: base64, seed: 7, selection: 'sample', max_visual_tokens: 4 })
    t.match(app.seen.works.at(-1), {
      segments: [{}, { picture: { selection: { rule: 'sample', seed: 7, maxVisualTokens: 4 } } }, {}]
    })
    t.match((await post({ image: base64, max_visual_tokens: 1 })).json(), {
      code: 'invalid_field',
      errors: [{ pointer: '/max_visual_tokens' }]
    })
  })

  t.test('ends the search early, and works on the text, by the request or by the model', async t => {
    const told = await buildTestApp(t, {
      model: {
        ...manifest,
        tasks: {
          ...manifest.tasks,
          caption: { ...manifest.tasks.caption, early_stopping: true, postprocess: 'lemmatised_answer' }
        }
      }
    })
    const textOf = async (payload: object) =>
      (await told.inject({ method: 'POST', url: '/caption', payload: { image: base64, ...payload } })).json()
        .captions[0].text
    t.equal(await textOf({}), 'two cat')
    t.match(told.seen.works.at(-1), { earlyStopping: true })
    t.equal(await textOf({ postprocess: 'none', early_stopping: false }), 'two cats')
    t.match(told.seen.works.at(-1), { earlyStopping: false })
  })

  t.test('takes options with a raw picture and in a form', async t => {
    const raw = await app.inject({
      method: 'POST',
      url: '/caption',
      query: { prompt: '12', num_beams: '3', temperature: '0' },
      payload: png,
      headers: { 'content-type': 'image/png' }
    })
    t.equal(raw.json().usage.prompt_tokens, 2, raw.body)
    t.match(app.seen.works.at(-1), { numBeams: 3 })
    const sent = await app.inject({
      method: 'POST',
      url: '/caption',
      ...form([
        ['prompt', '12'],
        ['top_p', '0.5'],
        ['stream', 'false'],
        ['image', png]
      ])
    })
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
})

t.test('POST /vqa', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object) => app.inject({ method: 'POST', url: '/vqa', payload })

  t.test("fills the question into the model's prompt", async t => {
    const question = 'what is $& {question}?'
    t.match((await post({ image: base64, question })).json(), {
      model: 'lavit-mini',
      answers: [{ text: 'two cats', log_probability: -1, finish_reason: 'stop' }]
    })
    const { segments } = app.seen.works.at(-1) as unknown as { segments: { ids: number[] }[] }
    t.equal(String.fromCodePoint(...segments[2]!.ids.slice(1)), `Question: ${question} Answer:`)
    t.match(app.seen.works.at(-1), { numBeams: manifest.tasks.vqa.num_beams, sampling: { maxTokens: 5 } })
  })

  t.test('needs a question', async t => {
    for (const question of [undefined, '', '  ', '\n', '\u200b', '\u200b\ufeff ']) {
      t.match((await post({ image: base64, question })).json(), {
        code: 'invalid_field',
        errors: [{ pointer: '/question' }]
      })
    }
  })

  t.test('needs it in the query of a raw picture too', async t => {
    const response = await app.inject({
      method: 'POST',
      url: '/vqa',
      payload: png,
      headers: { 'content-type': 'image/png' }
    })
    t.match(response.json(), { code: 'invalid_field', errors: [{ pointer: '/question' }] })
  })
})
