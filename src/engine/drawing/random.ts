/** Random draws that belong to one request: the same seed and purpose give the same draws, whatever runs beside it. */

const purposes = ['selection', 'tokens', 'noise'] as const
export type Purpose = typeof purposes[number]

export type Random = ReturnType<typeof createRandom>

/** An sfc32 generator (PractRand) for a seed of up to 53 bits; each purpose draws a stream of its own. */
export function createRandom (seed: number, purpose: Purpose) {
  const words = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, purposes.indexOf(purpose)]
  const start = (i: number) => words.reduce(mix, i)
  let [a, b, c, counter] = [start(1), start(2), start(3), start(4)]
  let spare: number | undefined
  return { uniform, gaussian }

  /** In 0..1, 1 excluded. */
  function uniform (): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return (sum >>> 0) / 2 ** 32
  }

  /** Mean 0, variance 1 (Box and Muller, both of each pair used). */
  function gaussian (): number {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

/** One round of splitmix32: takes a word in, spreads it over all bits. */
function mix (state: number, word: number): number {
  let z = ((state ^ word) + 0x9e3779b9) | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return z ^ (z >>> 15)
}
