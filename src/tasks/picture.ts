/** The one way in for pictures: uploads, data URLs and base64 text become pixels, or a typed error. */
import { decodePicture } from '../codecs/image.ts'
import type { Picture, Selection } from '../pipe/work.ts'
import { ServerError, invalidField } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { ImageInput, PictureOptions } from '../schemas/common.ts'
import type { Job } from './job.ts'

const uploadMark = 'upload:' // no base64 text holds a colon

/** How the field of an uploaded picture reads until its bytes are asked for. */
export function uploadedImage (index: number) {
  return `${uploadMark}${index}`
}

/** The bytes of a picture. `pointer` names its field in errors. */
export function pictureBytes (job: Job, image: ImageInput, pointer: string): Uint8Array {
  if (typeof image !== 'string') throw new ServerError('image_ref_expired', 'The server does not hold this picture; send the picture again')
  const upload = image.startsWith(uploadMark) ? job.uploads[Number(image.slice(uploadMark.length))] : undefined
  if (upload) return upload
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(image)) throw invalidField(pointer, 'is a URL, and fetching pictures is switched off; send the picture itself')

  const text = image.replace(/^data:[^,]{0,200};base64,/i, '').replace(/\s+/g, '')
  if (text.length * 0.75 > job.limits.maxImageBytes + 3) throw new ServerError('too_large', `The picture has more than ${job.limits.maxImageBytes} bytes`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 === 1) throw invalidField(pointer, 'is neither a base64 data URL nor base64 text')
  return Buffer.from(text, 'base64')
}

/** How the patches of a picture are chosen: the request's options over the model's rule. A threshold asks for its rule. */
export function selectionOptions ({ visual_tokenizer: tokenizer }: Manifest, { selection, keep_threshold: keepThreshold, max_visual_tokens: maxVisualTokens }: PictureOptions, seed: number): Selection {
  const { selection: modelRule, min_visual_tokens: least } = tokenizer
  if (maxVisualTokens !== undefined && maxVisualTokens < least) throw invalidField('/max_visual_tokens', `must be >= ${least} for this model`)
  return {
    rule: selection ?? (keepThreshold === undefined ? modelRule : 'threshold'),
    keepThreshold: keepThreshold ?? 0.5,
    seed,
    ...(maxVisualTokens !== undefined && { maxVisualTokens })
  }
}

/** A picture as the engine takes it. */
export async function readPicture (job: Job, manifest: Manifest, image: ImageInput, pointer: string, selection: Selection): Promise<Picture> {
  const bytes = pictureBytes(job, image, pointer)
  const from = performance.now()
  const pixels = await decodePicture(bytes, manifest.image.size, job.limits)
  job.timings.image = (job.timings.image ?? 0) + performance.now() - from
  return { pixels, selection }
}

/** Vocabulary ids of visual tokens. Throws `invalid_field` for one beyond the codebook and for more than a picture has patches. */
export function visualTokenIds ({ ids, image, visual_tokenizer: { codebook_size: size } }: Manifest, codes: number[], pointer: string): number[] {
  const patches = image.grid.rows * image.grid.columns
  if (codes.length > patches) throw invalidField(pointer, `must hold at most ${patches} visual tokens`)
  const wrong = codes.findIndex(code => code >= size)
  if (wrong !== -1) throw invalidField(`${pointer}/${wrong}`, `must be <= ${size - 1}`)
  return codes.map(code => code + ids.visual_offset)
}
