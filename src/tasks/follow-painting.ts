/** The events of a picture that is being drawn and painted. */
import { encodePicture, type PictureFormat } from '../codecs/image.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Part } from '../pipe/work.ts'
import type { Tell } from '../schemas/events.ts'

/**
 * `onPart` hears the parts of a request and tells its events; ids that are no codes are dropped, as they are from the
 * picture. `all` resolves when what came has been told: previews become files first.
 */
export function followPainting (tell: Tell, { ids: { visual_offset: offset } }: Manifest, format: PictureFormat) {
  const counts = new Map<number, number>()
  let told = Promise.resolve()
  return { onPart, all: () => told }

  function onPart (part: Part): void {
    if (part.kind === 'queued') tell('queued', { position: part.position })
    if (part.kind === 'step') tell('step', { index: part.sample, step: part.step, of: part.of })
    if (part.kind === 'preview') {
      const { sample, picture } = part
      const written = encodePicture(picture, format)
      told = Promise.all([written, told]).then(([file]) =>
        tell('preview', {
          index: sample,
          media_type: `image/${format}`,
          data: file.toString('base64'),
          visual_tokens: picture.codes
        })
      )
      told.catch(() => {}) // heard by whoever waits for all of them
    }
    if (part.kind !== 'token' || part.tokenId < offset) return
    const count = (counts.get(part.sample) ?? 0) + 1
    counts.set(part.sample, count)
    tell('token', { index: part.sample, visual_token: part.tokenId - offset, count })
  }
}
