// covers: src/plugins/suggestions.ts
import t from 'tap'
import { nearestField } from '../../src/plugins/suggestions.ts'
import { invalidFields } from '../../src/plugins/validation.ts'
import { GenerateRequest } from '../../src/schemas/generate.ts'
import { CaptionRequest, VqaRequest } from '../../src/schemas/understanding.ts'
import { DetokenizeRequest } from '../../src/schemas/generate.ts'
import { base64, buildTestApp } from '../helper.ts'

t.test('the known field that was meant', async t => {
  const cases: [{ properties: object }, string, string | undefined][] = [
    [CaptionRequest, 'numBeams', 'num_beams'],
    [CaptionRequest, 'num-beams', 'num_beams'],
    [CaptionRequest, 'NUM_BEAMS', 'num_beams'],
    [CaptionRequest, 'nbeams', 'num_beams'],
    [CaptionRequest, 'beams', 'num_beams'],
    [CaptionRequest, 'max_new_tokens', 'max_tokens'],
    [CaptionRequest, 'maxNewTokens', 'max_tokens'],
    [CaptionRequest, 'max_completion_tokens', 'max_tokens'],
    [CaptionRequest, 'min_new_tokens', 'min_tokens'],
    [CaptionRequest, 'max_token', 'max_tokens'],
    [CaptionRequest, 'temprature', 'temperature'],
    [CaptionRequest, 'temp', 'temperature'],
    [CaptionRequest, 'topP', 'top_p'],
    [CaptionRequest, 'topk', 'top_k'],
    [CaptionRequest, 'threshold', 'keep_threshold'],
    [CaptionRequest, 'keepThreshold', 'keep_threshold'],
    [CaptionRequest, 'min_tokens_visual', 'min_visual_tokens'],
    [CaptionRequest, 'tokens', 'visual_tokens'],
    [CaptionRequest, 'num_return_sequences', 'n'],
    [CaptionRequest, 'image_url', 'image'],
    [CaptionRequest, 'images', 'image'],
    [CaptionRequest, 'img', 'image'],
    [CaptionRequest, 'image[]', 'image'],
    [CaptionRequest, 'random_seed', 'seed'],
    [CaptionRequest, 'timeout', 'deadline_ms'],
    [CaptionRequest, 'deadline', 'deadline_ms'],
    [CaptionRequest, 'penalty', 'repetition_penalty'],
    [CaptionRequest, 'early_stop', 'early_stopping'],
    [CaptionRequest, 'guidance_scale', undefined],
    [CaptionRequest, 'xyz', undefined],
    [CaptionRequest, 'a'.repeat(10_000), undefined],
    [CaptionRequest, '', undefined],
    [VqaRequest, 'prompt', 'question'],
    [VqaRequest, 'query', 'question'],
    [VqaRequest, 'qestion', 'question'],
    [GenerateRequest, 'num_inference_steps', 'steps'],
    [GenerateRequest, 'decoderGuidanceScale', 'decoder_guidance_scale'],
    [GenerateRequest, 'decoder_scale', 'decoder_guidance_scale'],
    [GenerateRequest, 'cfg_scale', 'guidance_scale'],
    [GenerateRequest, 'negative_prompt', 'prompt'],
    [GenerateRequest, 'text', 'prompt'],
    [GenerateRequest, 'response_format', 'format'],
    [GenerateRequest, 'width', 'size'],
    [DetokenizeRequest, 'decoder_guidance_scale', 'guidance_scale'],
    [DetokenizeRequest, 'codes', 'visual_tokens']
  ]
  for (const [{ properties }, name, field] of cases) {
    t.equal(nearestField(name, Object.keys(properties)), field, name.slice(0, 30))
  }
  for (const { properties } of [GenerateRequest, CaptionRequest, VqaRequest, DetokenizeRequest]) {
    for (const field of Object.keys(properties)) {
      for (const spelled of [
        field.toUpperCase(),
        field.replaceAll('_', '-'),
        field.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
      ]) {
        t.equal(nearestField(spelled, Object.keys(properties)), field, spelled)
      }
    }
  }
})

t.test('a wrong field is told in words', async t => {
  const app = await buildTestApp(t)
  const cases: [string, object, string, string][] = [
    ['/caption', { numBeams: 2 }, '/numBeams', 'is not a field of this request; did you mean num_beams?'],
    ['/caption', { hello: 2 }, '/hello', 'is not a field of this request'],
    [
      '/generate',
      { prompt: [{ type: 'text', text: 'a', txt: 'b' }] },
      '/prompt/0/txt',
      'is not a field of this request; did you mean text?'
    ],
    ['/generate', { prompt: 'a', size: 'big' }, '/size', 'must be one of 8x8, 16x8'],
    ['/generate', { prompt: 'a', size: '10x10' }, '/size', 'must be one of 8x8, 16x8'],
    ['/generate', { prompt: 'a', size: 8 }, '/size', 'must be text, not 8'],
    ['/generate', { prompt: 'a', size: { width: 8 } }, '/size', 'must be text, not an object'],
    ['/generate', { prompt: 5 }, '/prompt', 'must be text or a list, not 5'],
    ['/generate', { prompt: null }, '/prompt', 'must be text or a list, not null'],
    ['/generate', { prompt: '' }, '/prompt', 'must not be empty'],
    ['/generate', { prompt: [] }, '/prompt', 'must not be empty'],
    ['/generate', { prompt: ['a dog'] }, '/prompt/0', 'must be an object, not text'],
    ['/generate', { prompt: 'a', format: 'gif' }, '/format', 'must be one of png, webp, jpeg'],
    ['/caption', { image: 5 }, '/image', 'must be text or an object, not 5'],
    ['/caption', { image: '' }, '/image', 'must not be empty'],
    ['/caption', { image: base64, n: '2' }, '/n', 'must be a whole number, not text'],
    ['/caption', { image: base64, n: 1.5 }, '/n', 'must be a whole number, not 1.5'],
    ['/caption', { image: base64, n: 9 }, '/n', 'must be <= 8'],
    ['/caption', { image: base64, top_p: true }, '/top_p', 'must be a number, not true'],
    ['/caption', { image: base64, stream: 'yes' }, '/stream', 'must be true or false, not text'],
    ['/caption', { image: base64, model: 'a'.repeat(201) }, '/model', 'must have at most 200 characters, not 201'],
    ['/detokenize', { visual_tokens: 5 }, '/visual_tokens', 'must be a list, not 5'],
    ['/detokenize', { visual_tokens: [] }, '/visual_tokens', 'must not be empty'],
    ['/detokenize', { visual_tokens: Array(4097).fill(1) }, '/visual_tokens', 'must hold at most 4096 items, not 4097'],
    ['/vqa', { image: base64 }, '/question', 'is required']
  ]
  for (const [url, payload, pointer, message] of cases) {
    const problem = (await app.inject({ method: 'POST', url, payload })).json()
    t.match(
      problem,
      { status: 422, code: 'invalid_field', errors: [{ pointer, message }], detail: `${pointer.slice(1)} ${message}` },
      JSON.stringify(payload).slice(0, 60)
    )
  }
})

t.test('how long a text is, is told of those that are soon counted', async t => {
  const app = await buildTestApp(t)
  for (const [model, told] of [
    ['a'.repeat(10_000), ', not 10000'],
    ['😀'.repeat(5000), ', not 5000'],
    ['a'.repeat(10_001), ''],
    ['😀'.repeat(1_000_000), '']
  ] as const) {
    const answer = await app.inject({ method: 'POST', url: '/caption', payload: { image: base64, model } })
    t.equal(answer.json().detail, `model must have at most 200 characters${told}`)
  }
})

t.test('of many wrong fields the first are put in words, and none is held against all others', async t => {
  let asked = 0
  const problems = Array.from({ length: 300_000 }, (_, i) => ({
    instancePath: '/list',
    schemaPath: '#',
    keyword: 'additionalProperties',
    params: { additionalProperty: `numBeams/${i}` },
    get parentSchema () {
      asked++
      return CaptionRequest
    }
  }))
  const outer = { schemaPath: '#', keyword: 'anyOf', params: {} }
  const { errors, message } = invalidFields([
    ...['', '/list'].map(instancePath => ({ ...outer, instancePath })),
    ...problems,
    { ...outer, instancePath: '/list/numBeams~1' }
  ])
  t.strictSame(
    errors?.map(({ pointer }) => pointer),
    Array.from({ length: 20 }, (_, i) => `/list/numBeams~1${i}`)
  )
  t.match(message, /^list\/numBeams~10 is not a field of this request; did you mean num_beams\?; list/)
  t.equal(asked, 20)
})

t.test('a field is told where it lies, not that what holds it is wrong, too', async t => {
  const at = (...paths: string[]) => {
    const problem = { schemaPath: '#', keyword: 'type', params: { type: 'string' } }
    const { errors } = invalidFields(paths.map(instancePath => ({ ...problem, instancePath })))
    return errors?.map(({ pointer }) => pointer)
  }
  t.strictSame(at('', '/a', '/a/b/c', '/ab', '/a/b'), ['/a/b/c', '/ab'])
  t.strictSame(at('/a/', '/a'), ['/a/'], 'a field without a name')
  t.strictSame(at('/', ''), ['/'])
  t.strictSame(at(''), [''])
})
