import t from 'tap'
import type { Postprocess } from '../../src/schemas/understanding.ts'
import { postprocess } from '../../src/tasks/postprocess.ts'

const cases: [rule: Postprocess, written: string, text: string][] = [
  ['none', ' two cats. and a dog \n', 'two cats. and a dog'],
  ['first_sentence', ' a dog on a bed. it sleeps. ', 'a dog on a bed'],
  ['first_sentence', 'a dog on a bed . it sleeps', 'a dog on a bed '],
  ['first_sentence', 'a dog,\na bed', 'a dog,\na bed'],
  ['first_sentence', '. a dog', ''],
  ['short_answer', ' two Dogs\nQuestion: what else?', 'two Dogs'],
  ['short_answer', 'red question: why', 'red '],
  ['short_answer', 'red Question: why', 'red Question: why'],
  ['short_answer', 'red Long answer: it is red', 'red '],
  ['short_answer', 'red, green and blue', 'red'],
  ['short_answer', 'at 3.30, or later', 'at 3'],
  ['lemmatised_answer', 'Two Dogs, running', 'two dog'],
  ['lemmatised_answer', 'red question: why', 'red']
]

for (const [rule, written, text] of cases) {
  t.test(`${rule} of ${JSON.stringify(written)}`, async t => { t.equal(await postprocess(written, rule), text) })
}
