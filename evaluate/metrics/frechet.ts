/**
 * Fréchet distance between two sets of features, each taken as a Gaussian (Heusel et al. 2017, arXiv 1706.08500):
 * |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)). With features of Inception-v3 this is the FID.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** A set reduced to its mean `[dim]` and a factor `[rank, dim]` of its covariance S = factor^T factor. */
export type Gaussian = { mean: number[]; factor: Matrix }

/** Rows of equal length, at least two. The covariance divides by one less than the number of rows. */
export function gaussianOf (rows: ArrayLike<number>[]): Gaussian {
  const dim = rows[0]!.length
  const mean = new Array<number>(dim).fill(0)
  for (const row of rows) for (let i = 0; i < dim; i++) mean[i]! += row[i]! / rows.length
  return { mean, factor: rows.length <= dim ? centredRows(rows, mean) : rootOf(covarianceOf(rows, mean)) }
}

/** Fewer rows than features are a factor themselves. */
function centredRows (rows: ArrayLike<number>[], mean: number[]): Matrix {
  const scale = 1 / Math.sqrt(rows.length - 1)
  const centred = new Matrix(rows.length, mean.length)
  rows.forEach((row, r) => mean.forEach((middle, i) => centred.set(r, i, (row[i]! - middle) * scale)))
  return centred
}

function covarianceOf (rows: ArrayLike<number>[], mean: number[]): Matrix {
  const dim = mean.length
  const sums = new Float64Array(dim * dim)
  const gaps = new Float64Array(dim)
  for (const row of rows) {
    for (let i = 0; i < dim; i++) gaps[i] = row[i]! - mean[i]!
    for (let i = 0; i < dim; i++) {
      const gap = gaps[i]!
      for (let j = i; j < dim; j++) sums[i * dim + j]! += gap * gaps[j]!
    }
  }
  const covariance = new Matrix(dim, dim)
  for (let i = 0; i < dim; i++) {
    for (let j = i; j < dim; j++) {
      covariance.set(i, j, sums[i * dim + j]! / (rows.length - 1))
      covariance.set(j, i, sums[i * dim + j]! / (rows.length - 1))
    }
  }
  return covariance
}

/**
 * tr((S1 S2)^(1/2)) is the sum of the singular values of factor1 factor2^T: a product of `[rank1, rank2]`, however long
 * the
 * features, whose squares are the eigenvalues of a symmetric matrix.
 */
export function frechetDistance (a: Gaussian, b: Gaussian): number {
  const gap = a.mean.reduce((sum, value, i) => sum + (value - b.mean[i]!) ** 2, 0)
  const product = a.factor.mmul(b.factor.transpose())
  const square = product.rows <= product.columns ? product.mmul(product.transpose()) : product.transpose().mmul(product)
  const root = symmetric(square).realEigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0)
  return Math.max(0, gap + squares(a.factor) + squares(b.factor) - 2 * root)
}

/** A factor F of a covariance `[dim, dim]`, F^T F = S: its eigenvectors as rows, by the roots of their eigenvalues. */
export function rootOf (covariance: Matrix): Matrix {
  const { realEigenvalues, eigenvectorMatrix } = symmetric(covariance)
  const factor = eigenvectorMatrix.transpose()
  realEigenvalues.forEach((value, i) => factor.mulRow(i, Math.sqrt(Math.max(0, value))))
  return factor
}

function symmetric (matrix: Matrix) {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true })
}

/** The trace of factor^T factor. */
function squares (factor: Matrix): number {
  return factor.norm('frobenius') ** 2
}
