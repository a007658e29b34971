/** Files that come into the page and go out of it. */
import { signal } from '@preact/signals'
import { fromBase64, toBase64 } from '../pure/base64.ts'
import type { Call, StoredFile } from '../pure/call.ts'
import { sameTokens } from '../pure/model-name.ts'
import { readRecipe, recipeOf, withRecipe } from '../pure/recipe.ts'
import { repaint, restoreCall, type Canvas } from './painting.ts'
import { readPicture } from './reading.ts'
import { modelName } from './server.ts'

/** What the page says of a file that came in. */
export const notice = signal('')
export const keepsRecipe = signal(true)

let taken = 0

/** A picture is read; one that carries a recipe is painted by it again. Of several the last one that came stays. */
export async function takeFile (file: Blob | Promise<Blob | undefined>, name: string): Promise<void> {
  const mine = ++taken
  const blob = await file
  const bytes = blob && await bytesOfPicture(blob, name)
  if (!bytes || mine !== taken) return
  const recipe = readRecipe(bytes)
  if (!recipe) return await readPicture(blob, name)
  const isOther = !sameTokens(recipe.model, modelName.value)
  const { name: maker, version } = recipe.model
  notice.value = isOther
    ? `${name} was painted by ${maker} ${version}; this model may paint something else by its recipe`
    : `${name} carries its recipe, which is painted again`
  await restoreCall(recipe.call)
  await repaint(recipe.call)
}

/** Says so where the file is no picture, or cannot be read, as a folder. */
export async function bytesOfPicture (blob: Blob, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const isPicture = blob.type === '' || blob.type.startsWith('image/')
  const bytes = isPicture ? await blob.arrayBuffer().catch(() => undefined) : undefined
  notice.value = bytes ? '' : isPicture ? `${name} cannot be read` : `${name} is no picture`
  return bytes && new Uint8Array(bytes)
}

/** Says so where the server does not give it. */
export async function sampleFile (url: string): Promise<Blob | undefined> {
  const answer = await fetch(url).catch(() => undefined)
  const blob = answer?.ok ? await answer.blob().catch(() => undefined) : undefined
  if (!blob) notice.value = 'The server does not answer'
  return blob
}

export async function storedFile (blob: Blob, file: string): Promise<StoredFile> {
  const base64 = toBase64(new Uint8Array(await blob.arrayBuffer()))
  return { file, media_type: blob.type || 'image/png', base64 }
}

export async function openSample (url: string, name: string): Promise<void> {
  await takeFile(sampleFile(url), name)
}

/** A painted picture as a file, with its recipe where that is wanted. */
export function paintedFile (call: Call, picture: NonNullable<Canvas['picture']>): Blob {
  const bytes = fromBase64(picture.data)
  const isWanted = keepsRecipe.value && picture.media_type === 'image/png'
  const file = isWanted ? withRecipe(bytes, recipeOf(call, picture, modelName.value)) : bytes
  return new Blob([file], { type: picture.media_type })
}

export function save (blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
