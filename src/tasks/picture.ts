/** The one way in for pictures: uploads, data URLs and base64 text become bytes and then pixels, or a typed error. */
import { decodePicture } from '../codecs/image.ts'
import { release } from '../codecs/release.ts'
import { checkFits } from '../pipe/cost.ts'
import type { Encoding, Picture, Segment, Selection, Work } from '../pipe/work.ts'
import { ServerError, invalidField, tooManyBytes } from '../errors.ts'
import { looksLikeUrl } from '../fetching/url.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { ImageInput } from '../schemas/common.ts'
import { bytesOfText } from './base64.ts'
import { refOf } from './encodings.ts'
import type { Job } from './job.ts'
import { sentOf } from './uploads.ts'

/** A picture whose file is at hand, or one that was seen before. */
export type HeldPicture = ({ bytes: Uint8Array } | { ref: string; encoding: Encoding }) & { selection: Selection }

/** A picture that is fetched, if need be, and whose pixels are read once all else is known to be right. */
export type PictureFile = HeldPicture | { fetch: () => Promise<Uint8Array>; selection: Selection }

/** A picture of a request. `pointer` names its field in errors. */
export function pictureOf (
  job: Job,
  manifest: Manifest,
  image: ImageInput,
  pointer: string,
  selection: Selection
): PictureFile {
  if (typeof image === 'string') {
    const sent = sentOf(job.uploads, image)
    const { fetching, signal, limits, client, upload } = job
    if (!fetching || typeof sent !== 'string' || !looksLikeUrl(sent.trim())) {
      return { bytes: pictureBytes(job, sent, pointer), selection }
    }
    const url = fetching.readUrl(sent.trim(), pointer)
    const options = { pointer, mostBytes: limits.maxImageBytes, signal, client, upload }
    return { fetch: () => fetching.fetch(url, options), selection }
  }
  const encoding = job.encodings.find(image.ref, { owner: job.owner, manifest })
  job.measures.countLookup('ref', encoding !== undefined)
  if (encoding === undefined) {
    throw new ServerError('image_ref_expired', 'The server does not hold this picture; send the picture again')
  }
  return { ref: image.ref, encoding, selection }
}

/** The bytes of a picture's file that came with the request. */
function pictureBytes ({ limits }: Job, sent: Uint8Array | string, pointer: string): Uint8Array {
  const bytes = typeof sent === 'string' ? bytesOfText(sent, pointer) : sent
  if (bytes.length > limits.maxImageBytes) throw tooManyBytes('The picture', limits.maxImageBytes, bytes.length)
  return bytes
}

/**
 * Everything that can be refused of a laid out request before its pixels are read.
 * Throws `too_large` for what the engine can never run, and for pictures that are too many bytes together.
 */
export function checkWork ({ limits }: Job, manifest: Manifest, work: Work<PictureFile>): void {
  checkFits(work, manifest, limits)
  const bytes = bytesOf(picturesOf(work))
  if (bytes > limits.maxUploadBytes) throw tooManyTogether(limits, bytes)
}

function bytesOf (pictures: PictureFile[]): number {
  return pictures.reduce((sum, picture) => sum + ('bytes' in picture ? picture.bytes.length : 0), 0)
}

function tooManyTogether ({ maxUploadBytes }: Job['limits'], bytes: number) {
  return tooManyBytes('All pictures of the request together', maxUploadBytes, bytes)
}

function picturesOf (work: Work<PictureFile>): PictureFile[] {
  switch (work.task) {
    case 'tokenize':
      return [work.picture]
    case 'detokenize':
      return []
    default:
      return work.segments.flatMap(segment => (segment.kind === 'ids' ? [] : [segment.picture]))
  }
}

/**
 * Vocabulary ids of visual tokens. Throws `invalid_field` for one beyond the codebook and for more than a picture has
 * patches.
 */
export function visualTokenIds (
  manifest: Manifest,
  codes: number[],
  pointer: string
): number[] {
  const { codebook_size: size } = manifest.visual_tokenizer
  const patches = patchesOf(manifest)
  if (codes.length > patches) {
    throw invalidField(pointer, `must hold at most ${patches} visual tokens, not ${codes.length}`)
  }
  const wrong = codes.findIndex(code => code >= size)
  if (wrong !== -1) throw invalidField(`${pointer}/${wrong}`, `must be <= ${size - 1}`)
  return codes.map(code => code + manifest.ids.visual_offset)
}

/** Fetches the picture if need be. `sent` is how many bytes the request's pictures have beside it. */
export async function holdPicture ({ limits, timings }: Job, file: PictureFile, sent: number): Promise<HeldPicture> {
  if (!('fetch' in file)) return file
  const from = performance.now()
  const bytes = await file.fetch()
  timings.fetch = (timings.fetch ?? 0) + performance.now() - from
  if (sent + bytes.length > limits.maxUploadBytes) throw tooManyTogether(limits, sent + bytes.length)
  return { bytes, selection: file.selection }
}

/**
 * The pixels of a picture's file, or the encoding of one that was seen before. The file is given back, unless it is
 * read once more.
 */
export async function readPicture (
  job: Job,
  manifest: Manifest,
  file: HeldPicture,
  { isReadAgain = false } = {}
): Promise<Picture> {
  if ('encoding' in file) return file
  const { bytes, selection } = file
  job.fileBytes.push(bytes.length)
  const from = performance.now()
  const pixels = await decodePicture(bytes, manifest.image.size, job.limits, job.signal)
  if (!isReadAgain) release(bytes)
  const to = performance.now()
  job.timings.image = (job.timings.image ?? 0) + to - from
  job.story.pictures.push({ from, to })
  if (!job.encodings.isOn) return { pixels, selection }
  const home = { owner: job.owner, manifest }
  const ref = refOf(pixels, home)
  const encoding = job.encodings.find(ref, home)
  job.measures.countLookup('pixels', encoding !== undefined)
  return { ref, selection, ...(encoding ? { encoding } : { pixels }) }
}

/** Keeps what the model made of a picture, and tells its name as long as it is there. */
export function tellRef (
  { encodings, owner }: Job,
  manifest: Manifest,
  { ref }: Picture,
  { encoding }: { encoding?: Encoding }
): { image_ref?: string } {
  if (ref === undefined) return {}
  if (encoding) encodings.keep(ref, { owner, manifest }, encoding)
  return encodings.holds(ref) ? { image_ref: ref } : {}
}

/** Segments with the pixels of their pictures, one picture after the other, once all else is known to be right. */
export async function readSegments (
  job: Job,
  manifest: Manifest,
  segments: Segment<PictureFile>[]
): Promise<Segment[]> {
  const read: Segment[] = []
  let bytes = bytesOf(segments.flatMap(segment => (segment.kind === 'ids' ? [] : [segment.picture])))
  for (const segment of segments) {
    if (segment.kind === 'ids') {
      read.push(segment)
      continue
    }
    const held = await holdPicture(job, segment.picture, bytes)
    if (held !== segment.picture) bytes += bytesOf([held])
    read.push({ ...segment, picture: await readPicture(job, manifest, held) })
  }
  return read
}
