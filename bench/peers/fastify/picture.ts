/** A picture file as the vision graph takes it, by sharp alone. */
import sharp from 'sharp'

/** uint8 [3, size, size]. */
export async function readSquare (file: Uint8Array, size: number): Promise<Uint8Array> {
  const pixels = await sharp(file)
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .resize(size, size, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  const planes = new Uint8Array(pixels.length)
  for (let i = 0; i < size * size; i++) {
    for (let channel = 0; channel < 3; channel++) planes[channel * size * size + i] = pixels[3 * i + channel] ?? 0
  }
  return planes
}
