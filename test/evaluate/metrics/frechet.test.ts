import { Matrix } from 'ml-matrix'
import t from 'tap'
import { frechetDistance, gaussianOf, rootOf } from '../../../evaluate/metrics/frechet.ts'

const near = (value: number, expected: number) => Math.abs(value - expected) < 1e-6

t.test('the Fréchet distance', async t => {
  t.test('of Gaussians on a line is the gap of means and of deviations, squared', async t => {
    const narrow = [[-1], [0], [1]] // mean 0, variance 1
    const wide = [[1], [3], [5]] // mean 3, variance 4
    t.ok(near(frechetDistance(gaussianOf(narrow), gaussianOf(wide)), 9 + 1))
  })

  t.test('of covariances that do not commute', async t => {
    // S1 S2 = [[2, 4], [1, 8]]: trace 10, determinant 12, and for two by two tr(A^(1/2)) = sqrt(tr A + 2 sqrt(det A)).
    const a = { mean: [0, 0], factor: rootOf(new Matrix([[2, 1], [1, 2]])) }
    const b = { mean: [3, 4], factor: rootOf(new Matrix([[1, 0], [0, 4]])) }
    t.ok(near(frechetDistance(a, b), 25 + 4 + 5 - 2 * Math.sqrt(10 + 2 * Math.sqrt(12))))
  })

  // Expected values: numpy, from the eigenvalues of S1 S2 itself, which is not symmetric.
  const first = [[0.3, 0.8, 0.3], [-1.3, 0.9, 0.4], [-0.5, 0.6, 0.4], [0.3, 0, 0.5], [-0.7, -0.2, -0.5], [0.6, 0, -0.3]]
  const second = [[0.2, 0.7, 1], [0.7, 2.3, 2], [-1.7, -0.9, 0.8], [0.6, 1.2, 1.2], [3.1, -0.1, 0.6]]

  t.test('of more rows than features', async t => {
    t.ok(near(frechetDistance(gaussianOf(first), gaussianOf(second)), 3.4130521406914855))
  })

  t.test('of no more rows than features, where covariances are singular', async t => {
    t.ok(near(frechetDistance(gaussianOf(first.slice(0, 3)), gaussianOf(second.slice(0, 3))), 4.100213821833195))
  })

  t.test('is the same both ways, and nothing between a set and itself', async t => {
    const [a, b] = [gaussianOf(first), gaussianOf(second.slice(0, 3))]
    t.ok(near(frechetDistance(a, b), frechetDistance(b, a)))
    t.ok(near(frechetDistance(a, gaussianOf(first.toReversed())), 0))
  })
})
