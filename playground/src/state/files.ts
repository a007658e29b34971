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

/** A picture is read; one that carries a recipe is painted by it again. */
export async function takeFile (blob: Blob, name: string): Promise<void> {
  notice.value = ''
  if (blob.type !== '' && !blob.type.startsWith('image/')) {
    notice.value = `${name} is no picture`
    return
  }
  const recipe = readRecipe(new Uint8Array(await blob.arrayBuffer()))
  if (!recipe) return await readPicture(blob, name)
  const isOther = !sameTokens(recipe.model, modelName.value)
  const { name: maker, version } = recipe.model
  notice.value = isOther
    ? `${name} was painted by ${maker} ${version}; this model may paint something else by its recipe`
    : `${name} carries its recipe, which is painted again`
  await restoreCall(recipe.call)
  await repaint(recipe.call)
}

export async function storedFile (blob: Blob, file: string): Promise<StoredFile> {
  const base64 = toBase64(new Uint8Array(await blob.arrayBuffer()))
  return { file, media_type: blob.type || 'image/png', base64 }
}

export async function openSample (url: string, name: string): Promise<void> {
  const blob = await fetch(url).then(answer => answer.blob(), () => undefined)
  if (blob) await takeFile(blob, name)
  else notice.value = 'The server does not answer'
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
