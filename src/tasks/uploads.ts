/** Pictures that came as files or as long texts: kept beside the fields, which have marks in their place. */
import { randomUUID } from 'node:crypto'

const mark = `upload ${randomUUID()} ` // no client can write it

/** How the field of an uploaded picture reads until its bytes are asked for. */
export function uploadedImage (index: number): string {
  return `${mark}${index}`
}

/** What a field says: the text itself, or what its mark stands for. */
export function sentOf (uploads: readonly (Uint8Array | string)[], image: string): Uint8Array | string {
  return (image.startsWith(mark) ? uploads[Number(image.slice(mark.length))] : undefined) ?? image
}
