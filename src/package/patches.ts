/** The patches that a picture is cut into. */
import type { Manifest } from './manifest.ts'

export function patchesOf ({ image: { grid } }: Pick<Manifest, 'image'>): number {
  return grid.rows * grid.columns
}
