// covers: src/codecs/tagger.ts
import t from 'tap'
import { lemmatise } from '../../src/codecs/lemmas.ts'

// Answers as spaCy's rule has them: nouns and verbs become their lemma, the rest keeps its lower-cased text.
const cases: [answer: string, lemmas: string][] = [
  ['Two Dogs', 'two dog'],
  ['women playing frisbee', 'woman play frisbee'],
  ['children', 'child'],
  ['knives', 'knife'],
  ['ate food', 'eat food'],
  ['orange juice', 'orange juice'],
  ['brown and white', 'brown and white'],
  ['they are on the left', 'they are on the left'],
  ["don't know", "do n't know"],
  ['  many   geese ', 'many goose'],
  ['2', '2'],
  ['yes', 'yes'],
  ['', '']
]

t.test('nouns and verbs go to their base form, one space between tokens', async t => {
  for (const [answer, lemmas] of cases) t.equal(await lemmatise(answer), lemmas, answer)
})

t.test('any text has lemmas', async t => {
  for (const text of ['c\ufffdJrse', '\ufffd\ufffd th\ufffd', '猫 🎉 \n\t', '"…"!?']) {
    t.type(await lemmatise(text), 'string')
  }
})

t.test('texts at once have each its own lemmas', async t => {
  t.strictSame(
    await Promise.all(cases.map(([answer]) => lemmatise(answer))),
    cases.map(([, lemmas]) => lemmas)
  )
})

t.test('a tagger that ends takes down what waits for it, and the next text has another one', async t => {
  const broken = [lemmatise(5 as unknown as string), lemmatise('two dogs')]
  for (const { status } of await Promise.allSettled(broken)) t.equal(status, 'rejected')
  t.equal(await lemmatise('two dogs'), 'two dog')
})
