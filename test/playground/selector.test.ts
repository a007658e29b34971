/** The playground's sliders, by numbers as `/tokenize` tells them; the rule itself is the engine's. */
import t from 'tap'
import { keepMask } from '../../playground/src/pure/selector.ts'

const probabilities = [0.1, 0.5, 0.699999988079071, 0.5]

t.test('a patch stays that is as probable as asked, to the last bit of the server', async t => {
  const choice = { keepThreshold: 0.699999988079071, minVisualTokens: 0, maxVisualTokens: Infinity }
  t.strictSame(keepMask(probabilities, choice, 0), [false, false, true, false])
})

t.test('bounds win over the threshold, the least of the model over them', async t => {
  const bounded = (minVisualTokens: number, maxVisualTokens: number, least: number) =>
    keepMask(probabilities, { keepThreshold: 0.9, minVisualTokens, maxVisualTokens }, least)
  t.strictSame(bounded(2, 2, 0), [false, true, true, false], 'of equal scores the earlier patch stays')
  t.strictSame(bounded(0, 1, 3), [false, true, true, true])
})
