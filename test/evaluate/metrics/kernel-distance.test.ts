import t from 'tap'
import { createRandom } from '../../../src/engine/drawing/random.ts'
import { kernelDistance } from '../../../evaluate/metrics/kernel-distance.ts'

const near = (value: number | null, expected: number) => Math.abs(value! - expected) < 1e-9

t.test('the kernel distance', async t => {
  t.test('of worked examples', async t => {
    // k(0, 1) + k(2, 3) - k(0, 3) - k(1, 2) with k = (x y + 1)^3: 1 + 343 - 1 - 27.
    t.strictSame(kernelDistance([[0], [1]], [[2], [3]]), { value: 316, low: null, high: null, samples: 2 })

    // By the table of all pairs: -7, -19.25 and 44, whose mean is the value; each alone is what one row less leaves.
    const { value, low, high } = kernelDistance(
      [
        [0, 1],
        [1, 1],
        [2, 0]
      ],
      [
        [1, 0],
        [0, 2],
        [1, 3]
      ]
    )
    t.ok(near(value, 17.75 / 3))
    t.ok(near(high! - value!, 1.96 * 38.73449510592737))
    t.ok(near(value! - low!, 1.96 * 38.73449510592737))
  })

  t.test('is about nothing between draws of one kind, and not between two kinds', async t => {
    const random = createRandom(1, 'noise')
    const draw = (shift: number) =>
      Array.from({ length: 60 }, () => Array.from({ length: 100 }, () => shift + random.gaussian()))
    const same = kernelDistance(draw(0), draw(0))
    t.ok(same.low! < 0 && same.high! > 0, 'though there are fewer rows than features')
    t.ok(kernelDistance(draw(0), draw(0.3)).low! > 0)
  })

  t.test('does not count what a picture shares with its own prompt', async t => {
    const random = createRandom(2, 'noise')
    const rows = Array.from({ length: 60 }, () => Array.from({ length: 100 }, () => random.gaussian()))
    t.strictSame(kernelDistance(rows, rows).value, 0)
  })

  t.test('needs two pictures', async t => {
    t.equal(kernelDistance([[1]], [[2]]).value, null)
  })
})
