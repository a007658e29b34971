/** The playground's sliders against the rule that the server selects by. */
import fc from 'fast-check'
import t from 'tap'
import { keepMask } from '../../playground/src/pure/selector.ts'
import { selectPatches } from '../../src/engine/drawing/selector.ts'

// few values, so that many are equal and thresholds are met exactly
const probability = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.float({ min: 0, max: 1, noNaN: true }))

t.test('the browser keeps the patches that the server keeps', async t => {
  fc.assert(
    fc.property(
      fc.array(probability, { minLength: 1, maxLength: 64 }),
      fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      fc.nat(64),
      fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 64 })),
      fc.nat(8),
      (values, keepThreshold, minVisualTokens, maxVisualTokens, least) => {
        const probabilities = Float32Array.from(values)
        const selection = { rule: 'threshold' as const, seed: 0, keepThreshold, minVisualTokens, maxVisualTokens }
        // as they cross the wire
        const told: number[] = JSON.parse(JSON.stringify([...probabilities]))
        const mask = keepMask(told, { keepThreshold, minVisualTokens, maxVisualTokens }, least)
        return JSON.stringify(mask) === JSON.stringify(selectPatches(probabilities, selection, least))
      }
    ),
    { numRuns: 2000 }
  )
})

t.test('of equal scores the earlier patch stays', async t => {
  const choice = { keepThreshold: 0.9, minVisualTokens: 2, maxVisualTokens: 2 }
  t.strictSame(keepMask([0.1, 0.5, 0.5, 0.5], choice, 0), [false, true, true, false])
})
