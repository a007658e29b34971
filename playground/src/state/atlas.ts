/** What the codes of the embedded model show: one tile for each content, on a sheet that the recipe draws. */
import { computed } from '@preact/signals'
import about from '../codes/codes.json'
import sheet from '../codes/codes.webp'
import { splitCode, type Code } from '../pure/codes.ts'
import { sameTokens } from '../pure/model-name.ts'
import { modelName, patches } from './server.ts'

export { sheet }
export const { contents, across } = about

/** The sheet tells of one model alone. */
export const hasAtlas = computed(() =>
  sameTokens({ name: about.model, version: about.version }, modelName.value)
)

/** Content and place of a code, where codes of this model tell a place. */
export function codeOf (token: number): Code | undefined {
  const code = splitCode(token, contents)
  return hasAtlas.value && code.place < patches.value ? code : undefined
}

/** The code at each place that painted tokens tell; the last where two tell the same. */
export function placesOf (tokens: readonly number[]): Map<number, number> {
  return new Map(tokens.flatMap(token => {
    const code = codeOf(token)
    return code ? [[code.place, token]] : []
  }))
}
