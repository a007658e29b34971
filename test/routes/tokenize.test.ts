// covers: src/tasks/familiarity.ts src/tasks/tokenize.ts
import sharp from 'sharp'
import t from 'tap'
import type { Manifest } from '../../src/package/manifest.ts'
import { answerWork, base64, buildTestApp, form, png } from '../helper.ts'
import { manifest } from '../fixtures/manifest.ts'

t.test('POST /tokenize', async t => {
  const app = await buildTestApp(t)
  const post = (payload: object, headers = {}) => app.inject({ method: 'POST', url: '/tokenize', payload, headers })

  t.test('answers with tokens, mask, scores and usage', async t => {
    const response = await post({ image: base64 })
    t.equal(response.statusCode, 200)
    t.strictSame(Object.keys(response.json()).sort(), [
      'count',
      'grid',
      'keep_mask',
      'keep_probabilities',
      'model',
      'usage',
      'visual_tokens'
    ])
    t.match(response.json(), {
      model: 'lavit-mini',
      visual_tokens: [7, 8, 9],
      count: 3,
      grid: { rows: 4, columns: 4 },
      usage: { visual_tokens: 3, patches: 16 }
    })
    t.match(response.headers, {
      'x-request-id': /^[0-9a-f-]{36}$/,
      'server-timing': /decode;.*queue;.*encode;.*prefill;.*decode_steps;.*paint;.*total;/
    })
    t.equal(app.seen.loans, 0)
  })

  t.test('hands the selection on', async t => {
    await post({ image: base64 })
    t.match(app.seen.works.at(-1), {
      task: 'tokenize',
      picture: { selection: { rule: 'threshold', keepThreshold: 0.5 } }
    })
    const { seed } = (
      await post({ image: base64, selection: 'sample', keep_threshold: 0.2, max_visual_tokens: 5 })
    ).json()
    t.match(app.seen.works.at(-1), {
      picture: { selection: { rule: 'sample', keepThreshold: 0.2, maxVisualTokens: 5, seed } }
    })
    t.equal((await post({ image: base64, selection: 'sample', seed: 11 })).json().seed, 11)
  })

  t.test('a model may draw by default; a threshold asks for its rule', async t => {
    const drawing = await buildTestApp(t, {
      model: { ...manifest, visual_tokenizer: { ...manifest.visual_tokenizer, selection: 'sample' } }
    })
    const selectionOf = async (payload: object) => {
      const response = await drawing.inject({
        method: 'POST',
        url: '/tokenize',
        payload: { image: base64, seed: 11, ...payload }
      })
      return [
        (drawing.seen.works.at(-1) as unknown as { picture: { selection: { rule: string } } }).picture.selection.rule,
        response.json().seed
      ]
    }
    t.strictSame(await selectionOf({}), ['sample', 11])
    t.strictSame(await selectionOf({ keep_threshold: 0.4 }), ['threshold', undefined])
    t.strictSame(await selectionOf({ keep_threshold: 0.4, selection: 'sample' }), ['sample', 11])
  })

  t.test('a draw that keeps nothing is an answer without tokens', async t => {
    const empty = await buildTestApp(t, {
      submit: async work =>
        work.task === 'tokenize'
          ? { codes: [], keepMask: Array(16).fill(false), keepProbabilities: Array(16).fill(0.01) }
          : answerWork(work, {})
    })
    const response = await empty.inject({ method: 'POST', url: '/tokenize', payload: { image: base64 } })
    t.match([response.statusCode, response.json()], [200, { visual_tokens: [], count: 0 }])
    const dimmed = await empty.inject({
      method: 'POST',
      url: '/tokenize',
      payload: { image: base64 },
      headers: { accept: 'image/png' }
    })
    t.equal(dimmed.statusCode, 200)
  })

  t.test('every form of a picture gives the same pixels', async t => {
    const forms = [
      { payload: { image: base64 } },
      { payload: { image: `data:image/png;base64,${base64}` } },
      { payload: { image: base64.replace(/(.{40})/g, '$1\n') } },
      { payload: png, headers: { 'content-type': 'image/png' }, query: { keep_threshold: '0.25' } },
      { payload: png, headers: { 'content-type': 'image/jpeg' } },
      form([
        ['keep_threshold', '0.25'],
        ['image', png]
      ]),
      form([['image', base64]])
    ]
    const seen = []
    for (const each of forms) {
      const response = await app.inject({ method: 'POST', url: '/tokenize', ...each })
      t.equal(response.statusCode, 200, response.body)
      seen.push((app.seen.works.at(-1) as unknown as { picture: { pixels: Uint8Array; selection: object } }).picture)
    }
    for (const { pixels } of seen) t.strictSame(Buffer.from(pixels), Buffer.from(seen[0]!.pixels))
    t.match(seen[3]!.selection, { keepThreshold: 0.25 })
    t.match(seen[5]!.selection, { keepThreshold: 0.25 })
  })

  t.test('Accept: image/png gives the picture with dropped patches dimmed', async t => {
    const response = await post({ image: base64 }, { accept: 'image/png' })
    t.equal(response.headers['content-type'], 'image/png')
    t.match(await sharp(response.rawPayload).metadata(), { format: 'png', width: 20, height: 10 })
    t.notOk('x-seed' in response.headers, 'nothing was drawn')
    const drawn = await post({ image: base64, selection: 'sample' }, { accept: 'image/png' })
    const { picture } = app.seen.works.at(-1) as unknown as { picture: { selection: { seed: number } } }
    t.equal(drawn.headers['x-seed'], String(picture.selection.seed))
  })

  t.test('a picture by reference is told in JSON where Accept allows it, since a file alone is drawn on', async t => {
    const encoding = { features: new Float32Array(4), keepProbabilities: new Float32Array(4) }
    const keeping = await buildTestApp(t, {
      submit: async (work, options) => ({ ...(await answerWork(work, options)), encoding })
    })
    const ask = async (image: unknown, accept: string) => {
      const request = { url: '/tokenize', payload: { image }, headers: { accept } }
      const response = await keeping.inject({ method: 'POST', ...request })
      const { 'content-type': type, vary } = response.headers
      return { status: response.statusCode, type, vary, body: response.json() }
    }
    const { image_ref: ref } = (await ask(base64, 'application/json')).body
    for (const accept of ['image/png, application/json;q=0.5', 'image/png, */*;q=0.1']) {
      const told = await ask({ ref }, accept)
      t.match(told, { status: 200, type: /^application\/json/, vary: /accept/i }, accept)
      t.match(told.body, { image_ref: ref, count: 3 }, accept)
    }
    for (const accept of ['image/png', 'image/png, application/json;q=0', 'image/*']) {
      const errors = [{ pointer: '/image', message: /picture itself/ }]
      t.match(await ask({ ref }, accept), { status: 422, body: { code: 'invalid_field', errors } }, accept)
    }
    for (const accept of ['image/png', 'image/png, application/json;q=0.5']) {
      t.match(await ask({ ref: 'img_gone' }, accept), { status: 410, body: { code: 'image_ref_expired' } }, accept)
    }
  })

  t.test('tells how familiar a picture is, and warns below the model\'s threshold', async t => {
    const judge: Manifest = { ...manifest, familiarity: { threshold: 0.3, quality: {} } }
    const judging = async (familiarity: number, model = judge) => {
      const app = await buildTestApp(t, {
        model,
        submit: async (work, options) => ({ ...(await answerWork(work, options)), familiarity })
      })
      const send = async (url: string, payload: object) =>
        (await app.inject({ method: 'POST', url, payload: { image: base64, ...payload } })).json()
      return [await send('/tokenize', {}), await send('/caption', {}), await send('/vqa', { question: 'what?' })]
    }
    for (const answer of await judging(0.3)) {
      t.equal(answer.familiarity, 0.3)
      t.notOk('warnings' in answer)
    }
    for (const answer of await judging(0.29)) {
      t.equal(answer.familiarity, 0.29)
      t.match(answer.warnings, [{ code: 'outside_domain', detail: /0\.290.*0\.3/ }])
      t.strictSame(Object.keys(answer.warnings[0]), ['code', 'detail'])
    }
    for (const answer of await judging(0.1, manifest)) t.notOk('warnings' in answer, 'no threshold, no warning')
  })

  t.test('Accept is weighed', async t => {
    t.match(
      (await post({ image: base64 }, { accept: 'image/png;q=0.1, application/json' })).headers['content-type'],
      'application/json'
    )
    t.match(
      (await post({ image: base64 }, { accept: 'application/json;q=0, */*' })).headers['content-type'],
      'image/png'
    )
    t.equal((await post({ image: base64 }, { accept: 'text/html' })).json().code, 'not_acceptable')
  })

  const refused: [object, string, string?][] = [
    [{}, 'invalid_field', '/image'],
    [{ image: 5 }, 'invalid_field', '/image'],
    [{ image: '' }, 'invalid_field', '/image'],
    [{ image: 'file:///etc/passwd' }, 'invalid_field', '/image'],
    [{ image: 'https://example.com/a.png' }, 'invalid_field', '/image'],
    [{ image: 'upload:0' }, 'invalid_field', '/image'],
    [{ image: 'data:image/png,abc' }, 'invalid_field', '/image'],
    [{ image: { ref: 'img_1' } }, 'image_ref_expired'],
    [{ image: { ref: 'img_1', x: 1 } }, 'invalid_field', '/image/x'],
    [{ image: Buffer.from('hello').toString('base64') }, 'unsupported_media_type'],
    [{ image: png.subarray(0, 50).toString('base64') }, 'image_unreadable'],
    [{ image: base64, keep_threshold: '0.5' }, 'invalid_field', '/keep_threshold'],
    [{ image: base64, keep_threshold: 1.1 }, 'invalid_field', '/keep_threshold'],
    [{ image: base64, max_visual_tokens: 1 }, 'invalid_field', '/max_visual_tokens'],
    [{ image: base64, selection: 'best' }, 'invalid_field', '/selection'],
    [{ image: base64, 'a/b~c': 1 }, 'invalid_field', '/a~1b~0c'],
    [{ image: base64, model: 'nope' }, 'model_not_found'],
    [{ image: base64, model: '../lavit-mini' }, 'model_not_found'],
    [{ image: base64, deadline_ms: 0 }, 'invalid_field', '/deadline_ms']
  ]
  for (const [payload, code, pointer] of refused) {
    t.test(`refuses ${JSON.stringify(payload).slice(0, 60)} with ${code}`, async t => {
      const problem = (await post(payload)).json()
      t.equal(problem.code, code, problem.detail)
      if (pointer) t.match(problem.errors, [{ pointer, message: String }])
    })
  }

  t.test('tells every wrong field', async t => {
    const { errors } = (await post({ image: base64, keep_threshold: 2, seed: -1, extra: 1 })).json()
    t.strictSame(errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '/extra',
      '/keep_threshold',
      '/seed'
    ])
  })
})

t.test('limits of pictures', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_MAX_IMAGE_BYTES: '400', LAVIT_MAX_IMAGE_PIXELS: '100' } })
  const code = async (request: object) =>
    (await app.inject({ method: 'POST', url: '/tokenize', ...request })).json().code
  const big = Buffer.concat([png, Buffer.alloc(500)])
  t.equal(await code({ payload: { image: base64 } }), 'too_large', 'pixels')
  t.equal(await code({ payload: { image: big.toString('base64') } }), 'too_large', 'bytes in JSON')
  t.equal(await code({ payload: big, headers: { 'content-type': 'image/png' } }), 'too_large', 'bytes of a raw body')
  t.equal(await code(form([['image', big]])), 'too_large', 'bytes of a file')
  t.equal(await code({ payload: { image: 'A'.repeat(2_000_000) } }), 'too_large', 'the body')
})
