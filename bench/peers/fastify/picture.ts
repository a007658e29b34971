/** A picture file as the vision graph takes it: opened by sharp, squashed as the model was taught to see pictures. */
import sharp from 'sharp'
import { squash } from '../../../src/codecs/resize/squash.ts'

/** uint8 [3, size, size]. Sharp's own cubic shrinks otherwise, and texts of some pictures would be others. */
export async function readSquare (file: Uint8Array, size: number): Promise<Uint8Array> {
  const { data, info } = await sharp(file)
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return squash({ pixels: data, width: info.width, height: info.height }, size)
}
