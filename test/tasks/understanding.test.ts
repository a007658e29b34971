import t from 'tap'
import type { TextDefaults } from '../../src/package/defaults.ts'
import { textOptions } from '../../src/tasks/understanding.ts'

const defaults: TextDefaults = {
  num_beams: 2,
  max_tokens: 20,
  min_tokens: 8,
  temperature: 1,
  top_p: 0.9,
  top_k: 5,
  repetition_penalty: 1.5,
  length_penalty: 1,
  early_stopping: true,
  postprocess: 'none'
}

t.test('defaults are those of the model', async t => {
  t.strictSame(textOptions({}, defaults, 7), {
    sampling: { maxTokens: 20, minTokens: 8, temperature: 0, topP: 0.9, topK: 5, repetitionPenalty: 1.5, seed: 7 },
    numBeams: 2,
    lengthPenalty: 1,
    earlyStopping: true,
    n: 1
  })
})

t.test('asking for a draw turns the search off', async t => {
  t.match(textOptions({ temperature: 0.5, n: 3 }, defaults, 7), { numBeams: 1, n: 3, sampling: { temperature: 0.5 } })
  t.match(textOptions({ num_beams: 1 }, defaults, 7), { numBeams: 1, sampling: { temperature: 1 } })
})

t.test('several texts widen the search', async t => {
  t.match(textOptions({ n: 4 }, defaults, 7), { numBeams: 4, n: 4 })
})

t.test('a short text lowers the default minimum', async t => {
  t.match(textOptions({ max_tokens: 3 }, defaults, 7), { sampling: { maxTokens: 3, minTokens: 3 } })
})

const refused = [
  [{ max_tokens: 3, min_tokens: 4 }, '/min_tokens'],
  [{ num_beams: 2, temperature: 1 }, '/temperature'],
  [{ num_beams: 2, n: 3 }, '/n'],
  [{ num_beams: 1, temperature: 0, n: 2 }, '/n']
] as const

for (const [request, pointer] of refused) {
  t.test(`${JSON.stringify(request)} contradicts itself`, async t => {
    t.throws(() => textOptions(request, defaults, 7), { code: 'invalid_field', errors: [{ pointer }] })
  })
}
