/** Pictures as programs have them, and as the server reads them. */
import { LavitError, unexpected } from './error.ts'
import type { GeneratedImage, ImageInput, PreviewEvent } from './schema.ts'

/**
 * A picture to send. A text is what the server reads as such: a data URL, base64, or an https URL where the server
 * fetches pictures. It is never a path, so that a text of someone else's opens no file; a path says that it is one, as
 * `{ path }` or as a `file:` URL. `{ ref }` is the `image_ref` of an earlier answer.
 */
export type Picture = ImageInput | URL | Uint8Array | ArrayBuffer | Blob | { path: string }

/** A picture that came as the body of an answer. */
export type PictureFile = {
  bytes: Uint8Array<ArrayBuffer>
  mediaType: string
  /** Of a painted picture: the same request with this seed paints it again. */
  seed: number | undefined
}

/** The file of a picture that came within JSON. */
export function bytesOf ({ data }: Pick<GeneratedImage | PreviewEvent, 'data'>): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(data), character => character.charCodeAt(0))
}

/** The picture in JSON. Throws `picture_unreadable` for a file or Blob that cannot be read. */
export async function wireOf (picture: Picture): Promise<ImageInput> {
  if (typeof picture === 'string') return picture
  if (picture instanceof URL) return picture.protocol === 'file:' ? base64(readFile(picture)) : picture.href
  if (picture instanceof Uint8Array) return base64(picture)
  if (picture instanceof ArrayBuffer) return base64(new Uint8Array(picture))
  if (picture instanceof Blob) return base64(await readBlob(picture))
  return 'path' in picture ? base64(readFile(picture.path)) : picture
}

/** Throws `unexpected_answer` for what is no picture, as the page of a proxy. */
export async function fileOf (response: Response): Promise<PictureFile> {
  const seed = response.headers.get('x-seed')
  const mediaType = response.headers.get('content-type') ?? ''
  if (!mediaType.startsWith('image/')) throw unexpected(response, await response.text())
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    mediaType,
    seed: seed === null ? undefined : Number(seed)
  }
}

const mostArguments = 0x8000

function base64 (bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += mostArguments) {
    text += String.fromCharCode(...bytes.subarray(start, start + mostArguments))
  }
  return btoa(text)
}

/** Of a file, its bytes are those of the disk, and are refused once it has changed or gone. */
async function readBlob (blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer())
  } catch (cause) {
    throw new LavitError('picture_unreadable', 'the Blob cannot be read', { cause })
  }
}

type Files = { readFileSync: (path: string | URL) => Uint8Array }
declare const process: { getBuiltinModule?: (name: 'node:fs') => Files } | undefined

/** Asks the runtime for its files, so that bundles for browsers import nothing that is not there. */
function readFile (path: string | URL): Uint8Array {
  const files = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:fs')
  if (!files) throw new LavitError('picture_unreadable', 'there are no files here: give the bytes or a Blob')
  try {
    return files.readFileSync(path)
  } catch (cause) {
    throw new LavitError('picture_unreadable', `${path} cannot be read`, { cause })
  }
}
