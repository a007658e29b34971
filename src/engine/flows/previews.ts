/** Pictures of the first tokens of a picture that is being drawn. */
import type { PaintedPicture } from '../../pipe/work.ts'

/**
 * Tokens after which previews are painted, of at most `patches`: closer together at the start, since most pictures are
 * complete long before all patches have one.
 */
export function previewCounts (previews: number, patches: number): number[] {
  return Array.from({ length: previews }, (_, i) => Math.ceil(patches * ((i + 1) / (previews + 1)) ** 2))
}

/** `after` hears the codes so far and paints at its counts, beside the drawing; `tell` hears the pictures in order. */
export function createPreviews (
  counts: number[],
  paint: (codes: number[]) => Promise<PaintedPicture>,
  tell: (picture: PaintedPicture) => void
) {
  const left = new Set(counts)
  let told = Promise.resolve()
  return {
    after (codes: number[]): void {
      if (!left.delete(codes.length)) return
      const painted = paint(codes)
      told = Promise.all([painted, told]).then(([picture]) => tell(picture))
      told.catch(() => {}) // heard by whoever waits for all of them
    },
    /** Resolves when every preview has been told. */
    all: () => told
  }
}
