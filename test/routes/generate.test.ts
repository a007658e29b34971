// covers: src/routes/detokenize.ts src/routes/pictures.ts src/tasks/generate.ts src/tasks/seed.ts
import sharp from 'sharp'
import t from 'tap'
import { base64, buildTestApp, form, png } from '../helper.ts'
import { manifest } from '../fixtures/manifest.ts'

t.test('POST /generate', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object, headers = {}) => app.inject({ method: 'POST', url: '/generate', payload, headers })

  t.test('answers with pictures, their tokens and usage', async t => {
    const response = await post({ prompt: 'abc', seed: 5, n: 2, format: 'webp' })
    t.equal(response.statusCode, 200)
    const { images, ...rest } = response.json()
    t.strictSame(rest, { model: 'lavit-mini', usage: { prompt_tokens: 3, visual_tokens: 6, steps: 4 } })
    t.strictSame(
      images.map(({ data, ...image }: { data: string }) => image),
      [5, 6].map(seed => ({ media_type: 'image/webp', width: 8, height: 8, seed, visual_tokens: [1, 2, 3] }))
    )
    t.match(await sharp(Buffer.from(images[0].data, 'base64')).metadata(), { format: 'webp', width: 8, height: 8 })
    t.match(app.seen.works.at(-1), {
      task: 'generate',
      segments: [
        { kind: 'ids', ids: [97, 98, 99] },
        { kind: 'ids', ids: [300] }
      ],
      guidanceScale: 3,
      painting: { width: 8, height: 8, steps: 4, decoderGuidanceScale: 2, seed: 5 },
      n: 2
    })
  })

  t.test('keeps parts in order', async t => {
    const prompt = [
      { type: 'text', text: 'a' },
      { type: 'image', image: base64 },
      { type: 'visual_tokens', visual_tokens: [3] }
    ]
    t.match((await post({ prompt })).json(), { usage: { prompt_tokens: 5 } })
    t.match(app.seen.works.at(-1), { segments: [{ ids: [97] }, { kind: 'codes' }, { ids: [305] }, { ids: [300] }] })
  })

  t.test('pictures of a prompt draw their patches apart, and mixed prompts have a guidance of their own', async t => {
    const prompt = [
      { type: 'image', image: base64 },
      { type: 'text', text: 'a' },
      { type: 'image', image: base64 }
    ]
    await post({ prompt, seed: 5, selection: 'sample', max_visual_tokens: 4 })
    const selection = { rule: 'sample', maxVisualTokens: 4 }
    t.match(app.seen.works.at(-1), {
      segments: [
        { picture: { selection: { ...selection, seed: 5 } } },
        {},
        { picture: { selection: { ...selection, seed: 6 } } },
        {}
      ],
      guidanceScale: 4
    })
    await post({ prompt: [{ type: 'visual_tokens', visual_tokens: [3] }] })
    t.match(app.seen.works.at(-1), { guidanceScale: 4 })
    await post({ prompt: [{ type: 'text', text: 'a' }] })
    t.match(app.seen.works.at(-1), { guidanceScale: 3 })
    await post({ prompt, guidance_scale: 2 })
    t.match(app.seen.works.at(-1), { guidanceScale: 2 })
  })

  t.test('takes parts from a form and a raw picture', async t => {
    const sent = await app.inject({
      method: 'POST',
      url: '/generate',
      ...form([
        ['prompt', 'a'],
        ['image', png],
        ['prompt', 'b'],
        ['steps', '0']
      ])
    })
    t.equal(sent.statusCode, 200, sent.body)
    t.match(app.seen.works.at(-1), {
      segments: [{ ids: [97] }, { kind: 'codes' }, { ids: [98] }, { ids: [300] }],
      painting: { steps: 0 }
    })
    await app.inject({
      method: 'POST',
      url: '/generate?prompt=b',
      payload: png,
      headers: { 'content-type': 'image/png' }
    })
    t.match(app.seen.works.at(-1), { segments: [{ kind: 'codes' }, { ids: [98] }, { ids: [300] }] })
  })

  t.test('Accept chooses the picture itself', async t => {
    for (const format of ['png', 'webp', 'jpeg']) {
      const response = await post({ prompt: 'x', seed: 9 }, { accept: `image/${format}` })
      t.match(response.headers, { 'content-type': `image/${format}`, 'x-seed': '9' })
      t.match(await sharp(response.rawPayload).metadata(), { format })
    }
    t.equal((await post({ prompt: 'x', format: 'jpeg' }, { accept: 'image/*' })).headers['content-type'], 'image/jpeg')
    t.equal((await post({ prompt: 'x', n: 2 }, { accept: 'image/png' })).json().code, 'not_acceptable')
    t.match(
      (await post({ prompt: 'x', n: 2 }, { accept: 'image/png, */*;q=0.1' })).headers['content-type'],
      'application/json'
    )
  })

  t.test('space around a prompt and the form of its accents change nothing', async t => {
    for (const prompt of [
      'caf\u00e9',
      ' caf\u00e9\n',
      '\ufeffcafe\u0301\u200b',
      '\t\r\ncafe\u0301 ',
      [{ type: 'text', text: 'caf\u00e9\n' }],
      [
        { type: 'text', text: ' ' },
        { type: 'text', text: 'cafe\u0301' }
      ]
    ]) {
      t.equal((await post({ prompt })).statusCode, 200)
      t.strictSame((app.seen.works.at(-1) as unknown as { segments: object[] }).segments, [
        { kind: 'ids', ids: [99, 97, 102, 105] },
        { kind: 'ids', ids: [300] }
      ])
    }
    t.equal(
      (
        await post({
          prompt: [
            { type: 'text', text: '' },
            { type: 'image', image: base64 },
            { type: 'text', text: '\n' }
          ]
        })
      ).statusCode,
      200
    )
    t.match(
      app.seen.works.at(-1),
      { segments: [{ kind: 'codes' }, { ids: [300] }] },
      'a part that says nothing adds nothing'
    )
  })

  t.test('a prompt that says nothing is refused, in every form', async t => {
    const blanks = [
      ' ',
      '\n',
      '\t\r\n',
      '\u200b',
      '\u200b \ufeff',
      '\u00a0',
      '\u3000',
      '\u2028',
      '\u0000',
      '\u00ad',
      '\u2800',
      '\ufe0f\u200d'
    ]
    const payloads = [
      ...blanks,
      ...blanks.map(text => [{ type: 'text', text }]),
      [],
      [{ type: 'text', text: '' }],
      blanks.map(text => ({ type: 'text', text }))
    ]
    for (const [i, prompt] of payloads.entries()) {
      t.match(
        (await post({ prompt })).json(),
        { status: 422, code: 'invalid_field', errors: [{ pointer: '/prompt', message: /must not be (blank|empty)/ }] },
        String(i)
      )
    }
    for (const blank of blanks) {
      t.match((await app.inject({ method: 'POST', url: '/generate', ...form([['prompt', blank]]) })).json(), {
        status: 422,
        errors: [{ pointer: '/prompt' }]
      })
      t.match((await app.inject({ method: 'POST', url: `/generate?prompt=${encodeURIComponent(blank)}` })).json(), {
        status: 422,
        errors: [{ pointer: '/prompt' }]
      })
    }
    t.match((await app.inject({ method: 'POST', url: '/generate', ...form([['prompt', '']]) })).json(), {
      status: 422,
      errors: [{ pointer: '/prompt' }]
    })
  })

  t.test('a seed at the end of its range is followed by the first', async t => {
    const response = await post({ prompt: 'a', seed: 4_294_967_295, n: 2 })
    t.equal(response.statusCode, 200)
    t.match(app.seen.works.at(-1), { sampling: { seed: 4_294_967_295 }, n: 2 })
    await post({
      prompt: [
        { type: 'image', image: base64 },
        { type: 'image', image: base64 }
      ],
      seed: 4_294_967_295,
      selection: 'sample'
    })
    t.match(app.seen.works.at(-1), {
      segments: [{ picture: { selection: { seed: 4_294_967_295 } } }, { picture: { selection: { seed: 0 } } }, {}]
    })
  })

  t.test('whatever needs no pixels is refused before they are read', async t => {
    const unreadable = { type: 'image', image: png.subarray(0, 60).toString('base64') }
    t.equal((await post({ prompt: [unreadable] })).json().code, 'image_unreadable')
    const cases: [object, string][] = [
      [{ prompt: [unreadable, { type: 'text', text: 'a'.repeat(70) }] }, 'too_large'],
      [{ prompt: [unreadable, { type: 'visual_tokens', visual_tokens: [100] }] }, 'invalid_field'],
      [{ prompt: [unreadable, { type: 'image', image: '!' }] }, 'invalid_field'],
      [{ prompt: [unreadable], steps: 51 }, 'invalid_field'],
      [{ prompt: [unreadable], size: '1x1' }, 'invalid_field'],
      [{ prompt: [unreadable], max_visual_tokens: 1 }, 'invalid_field'],
      [{ prompt: [unreadable], min_visual_tokens: 5, max_visual_tokens: 4 }, 'invalid_field'],
      [{ prompt: [unreadable], model: 'nope' }, 'model_not_found'],
      [{ prompt: [unreadable], n: 8, guidance_scale: 3 }, 'too_large']
    ]
    const small = await buildTestApp(t, { environment: { LAVIT_SLOTS: '8' } })
    for (const [payload, code] of cases) {
      t.equal(
        (await small.inject({ method: 'POST', url: '/generate', payload })).json().code,
        code,
        JSON.stringify(payload).slice(-60)
      )
    }
    const poor = await buildTestApp(t, { environment: { LAVIT_QUEUE_COST: '20' } })
    t.match((await poor.inject({ method: 'POST', url: '/generate', payload: { prompt: [unreadable] } })).json(), {
      code: 'too_large',
      detail: /limit is 20/
    })
  })

  const refused: [object, string, string?][] = [
    [{}, 'invalid_field', '/prompt'],
    [{ prompt: '' }, 'invalid_field', '/prompt'],
    [{ prompt: [] }, 'invalid_field', '/prompt'],
    [{ prompt: 5 }, 'invalid_field', '/prompt'],
    [{ prompt: [{ type: 'sound' }] }, 'invalid_field', '/prompt/0/type'],
    [{ prompt: [{ type: 'text' }] }, 'invalid_field', '/prompt/0/text'],
    [
      {
        prompt: [
          { type: 'text', text: 'a' },
          { type: 'visual_tokens', visual_tokens: [100] }
        ]
      },
      'invalid_field',
      '/prompt/1/visual_tokens/0'
    ],
    [{ prompt: [{ type: 'image', image: 'http://localhost/' }] }, 'invalid_field', '/prompt/0/image'],
    [{ prompt: [{ type: 'image', image: { ref: 'x' } }] }, 'image_ref_expired'],
    [{ prompt: 'x', size: '100000x10000' }, 'invalid_field', '/size'],
    [{ prompt: 'x', size: '1e3x8' }, 'invalid_field', '/size'],
    [{ prompt: 'x', steps: 51 }, 'invalid_field', '/steps'],
    [{ prompt: 'x', guidance_scale: 0.5 }, 'invalid_field', '/guidance_scale'],
    [{ prompt: 'x', format: 'gif' }, 'invalid_field', '/format'],
    [{ prompt: 'x'.repeat(90) }, 'too_large']
  ]
  for (const [payload, code, pointer] of refused) {
    t.test(`refuses ${JSON.stringify(payload).slice(0, 70)} with ${code}`, async t => {
      const problem = (await post(payload)).json()
      t.equal(problem.code, code, problem.detail)
      if (pointer) t.match(problem.errors, [{ pointer }])
    })
  }
})

t.test('a model without a pixel decoder says that it cannot paint', async t => {
  const {
    pixel_decoder: _,
    graphs: { tokenizer_decoder: __, ...graphs },
    ...rest
  } = manifest
  const app = await buildTestApp(t, { model: { ...rest, graphs } })
  for (const [url, payload] of [
    ['/generate', { prompt: 'x' }],
    ['/detokenize', { visual_tokens: [1] }]
  ] as const) {
    const response = await app.inject({ method: 'POST', url, payload })
    t.equal(response.statusCode, 422)
    t.match(response.json(), { code: 'invalid_field', errors: [{ pointer: '/model', message: /cannot paint/ }] })
  }
  t.strictSame(app.seen.works, [])
})

t.test('POST /detokenize', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object, headers = {}) => app.inject({ method: 'POST', url: '/detokenize', payload, headers })

  t.test('paints the tokens as they are', async t => {
    const response = await post({ visual_tokens: [4, 5], seed: 3, steps: 0, guidance_scale: 1.5, size: '16x8' })
    t.match(response.json(), {
      model: 'lavit-mini',
      images: [{ media_type: 'image/png', width: 16, height: 8, seed: 3, visual_tokens: [4, 5] }],
      usage: { prompt_tokens: 0, visual_tokens: 2, steps: 0 }
    })
    t.strictSame(app.seen.works.at(-1), {
      task: 'detokenize',
      codes: [4, 5],
      painting: { width: 16, height: 8, steps: 0, decoderGuidanceScale: 1.5, seed: 3 }
    })
    t.equal((await post({ visual_tokens: [4] }, { accept: 'image/jpeg' })).headers['content-type'], 'image/jpeg')
  })

  t.test('refuses tokens beyond the codebook, none, and too many', async t => {
    for (const tokens of [[100], [], Array(17).fill(1), ['1'], [2 ** 53], [null]]) {
      t.equal((await post({ visual_tokens: tokens })).json().code, 'invalid_field')
    }
  })

  t.test('reads no pictures', async t => {
    t.equal(
      (
        await app.inject({ method: 'POST', url: '/detokenize', payload: png, headers: { 'content-type': 'image/png' } })
      ).json().code,
      'unsupported_media_type'
    )
    t.equal(
      (await app.inject({ method: 'POST', url: '/detokenize', ...form([['image', png]]) })).json().code,
      'unsupported_media_type'
    )
  })
})
