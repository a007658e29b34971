import t, { type Test } from 'tap'
import { ciderScores } from '../../../evaluate/metrics/cider.ts'
import { wordsOf } from '../../../evaluate/metrics/words.ts'

const near = (t: Test, scores: number[], expected: number[]) => {
  t.equal(scores.length, expected.length)
  scores.forEach((score, i) => t.ok(Math.abs(score - expected[i]!) < 1e-9, `${score}, not ${expected[i]}`))
}

t.test('CIDEr-D', async t => {
  t.test('of worked examples', async t => {
    // Each n-gram stands in the references of one of two pictures, so all weigh ln 2, which cancels out. Of four words
    // two
    // are said: words 2 / (sqrt 2 * 2), pairs 1 / (1 * sqrt 3), no longer ones; two words too few: exp(-4 / 72).
    const expected = (10 / 4) * (1 / Math.sqrt(2) + 1 / Math.sqrt(3)) * Math.exp(-4 / 72)
    // Two words have no triples, so even the reference itself gets 10 * 2 / 4.
    near(t, ciderScores(['red dog', 'blue cat'], [['red dog runs fast'], ['blue cat']]), [expected, 5])

    // A word said twice counts once: 2 / (sqrt 5 * 2), and its new pair lengthens the vector: 1 / (sqrt 2 * sqrt 3).
    const doubled = (10 / 4) * (1 / Math.sqrt(5) + 1 / Math.sqrt(6)) * Math.exp(-1 / 72)
    near(t, ciderScores(['red red dog', 'blue cat'], [['red dog runs fast'], ['blue cat']]), [doubled, 5])
  })

  t.test('of several references of unlike rarity', async t => {
    // Computed with dense vectors over the listed n-grams (numpy), and equal to models/recipe/data/cider.py in the
    // mean.
    const references = [
      ['a dog sits on a mat', 'the brown dog is on a red mat'],
      ['two cats play', 'a cat and a cat play with one ball', 'cats with a ball'],
      ['a boat on the sea', 'a small boat']
    ]
    near(
      t,
      ciderScores(['a dog sits on a red mat', 'two cats play with a ball', ''], references),
      [5.63676546079194, 3.1317598191976153, 0]
    )
  })

  t.test('knows no rarity in a set of one picture', async t => {
    near(t, ciderScores(['a b c d'], [['a b c d']]), [0])
  })

  t.test('gives 10 for the only reference of a picture, nothing for words of another one', async t => {
    near(t, ciderScores(['a red dog runs', 'a red dog runs'], [['a red dog runs'], ['two blue cats sleep']]), [10, 0])
  })
})

t.test('words are those of the treebank, without punctuation', async t => {
  for (const [caption, words] of [
    ["A man can't see the dog's ball.", "a man ca n't see the dog 's ball"],
    [
      '"Hello," she said; it’s (nearly) 3.5 miles -- or 1,000 -- away...',
      "hello she said it 's nearly 3.5 miles or 1,000 away"
    ],
    ['a jack-o-lantern, a t-shirt', 'a jack-o-lantern a t-shirt'],
    ["the dogs' ears cannot move", 'the dogs ears can not move'],
    [' - ', '']
  ] as const) {
    t.strictSame(wordsOf(caption), words === '' ? [] : words.split(' '))
  }
})
