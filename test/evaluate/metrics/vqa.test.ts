import t from 'tap'
import { cleanQuestion, normaliseAnswer, stripOpenings } from '../../../evaluate/metrics/answers.ts'
import { judgeAnswer } from '../../../evaluate/metrics/vqa-accuracy.ts'

t.test('VQA accuracy', async t => {
  t.test('rises with the number of people who gave the answer', async t => {
    // Leaving out each of ten people in turn, k of whom agree: (k * min(1, (k - 1) / 3) + (10 - k) * min(1, k / 3)) /
    // 10.
    for (const [agreeing, expected] of [
      [0, 0],
      [1, 0.3],
      [2, 0.6],
      [3, 0.9],
      [4, 1],
      [10, 1]
    ] as const) {
      const people = Array.from({ length: 10 }, (_, i) => (i < agreeing ? 'yes' : 'no'))
      const { accuracy } = judgeAnswer('yes', people, 'no')
      t.ok(Math.abs(accuracy - expected) < 1e-12, `${agreeing} people: ${accuracy}`)
    }
  })

  t.test('compares with one person by equality', async t => {
    t.strictSame(judgeAnswer('A dog.', ['dog'], 'dog'), { answer: 'dog', accuracy: 1, exact: true })
    t.strictSame(judgeAnswer('cat', ['dog'], 'dog'), { answer: 'cat', accuracy: 0, exact: false })
  })

  t.test('normalises both sides, and keeps accuracy apart from the commonest answer', async t => {
    const people = ['Two', '2', '2 dogs', ...new Array<string>(7).fill('three')]
    t.match(judgeAnswer('two.', people, 'three'), { answer: '2', exact: false })
    t.ok(Math.abs(judgeAnswer('two.', people, 'three').accuracy - 0.6) < 1e-12)
  })
})

t.test('answers are normalised as the official evaluation does', async t => {
  for (const [answer, expected] of [
    ['The two Dogs.', '2 dogs'],
    ['none', '0'],
    ['dont', "don't"],
    ['couldntve', 'couldntve'],
    ["couldnt've", "couldn't've"],
    ['black-white', 'black white'],
    ['black - white', 'black white'],
    ['on/off', 'on off'],
    ['1,000', '1000'], // a comma between digits
    ['red, blue', 'red blue'],
    ['3.5', '3.5'],
    ['U.S.', 'us'],
    ['an\napple\t', 'apple'],
    ['', '']
  ] as const) {
    t.equal(normaliseAnswer(answer), expected, answer)
  }
})

t.test('openings of predictions go', async t => {
  for (const [answer, expected] of [
    ['it is blue', 'blue'],
    ["they're on table", 'table'], // one opening after another
    ['in kitchen', 'kitchen'],
    ["i do n't know", 'unanswerable'],
    ['', 'unanswerable'],
    ['nope', 'no'],
    ['indoors', 'indoors'],
    ['on bed on floor', 'floor']
  ] as const) {
    t.equal(stripOpenings(answer), expected, answer)
  }
})

t.test('questions are cleaned as the model was asked in its evaluation', async t => {
  const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
  for (const [question, expected] of [
    // inputs and outputs of the official question processor
    ["What's THAT drink, in the glass?  ", "what's that drink, in the glass?"],
    ['Is it (really) #1: a "dog"; or ~2*cats!?', 'is it really 1 a dog or 2cats?'],
    ['   leading kept.', '   leading kept'],
    [words(55), words(50)]
  ] as const) {
    t.equal(cleanQuestion(question), expected)
  }
})
