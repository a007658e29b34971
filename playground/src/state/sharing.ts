/** A picture that the address brought, as tokens. */
import { signal } from '@preact/signals'
import { readLink, tellOther, writeLink } from '../pure/link.ts'
import { base } from '../server/ask.ts'
import { paintTokens, tokensCall } from './painting.ts'
import { modelName, untilReady } from './server.ts'

/** What is said of a picture of another model. */
export const otherModel = signal('')

export function linkTo (tokens: number[], seed?: number): string {
  return base + writeLink({ ...modelName.value, tokens, ...(seed !== undefined && { seed }) })
}

/** Paints what the address holds, once the model is ready. */
export async function openLink (): Promise<void> {
  const shared = readLink(location.hash)
  if (!shared) return
  await untilReady(new AbortController().signal)
  otherModel.value = tellOther(shared, modelName.value) ?? ''
  await paintTokens(tokensCall(shared.tokens, shared.seed))
}
