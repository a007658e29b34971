/** The picture that is read: its file, its tokens as the server told them, and which patches are chosen since. */
import { computed, signal } from '@preact/signals'
import type { TokenizeResponse } from '../../../src/schemas/tokenize.ts'
import { toBase64 } from '../pure/base64.ts'
import type { Call, Option, StoredFile } from '../pure/call.ts'
import { codesByPlace } from '../pure/codes.ts'
import { keepMask, type Choice } from '../pure/selector.ts'
import { askText } from '../server/ask.ts'
import { createJob } from './job.ts'
import { least, modelOption, patches } from './server.ts'

export type Picture = { blob: Blob; url: string; stored: StoredFile }

export const picture = signal<Picture | undefined>(undefined)
export const tokens = signal<TokenizeResponse | undefined>(undefined)
export const choice = signal<Choice>({ keepThreshold: 0.5, minVisualTokens: 0, maxVisualTokens: Infinity })
/** The patch that is pointed at, here or in the row of tokens. */
export const active = signal<number | undefined>(undefined)
export const tokenizing = createJob()

export const mask = computed(() =>
  tokens.value ? keepMask(tokens.value.keep_probabilities, choice.value, least.value) : []
)
export const kept = computed(() => mask.value.filter(Boolean).length)
/** Codes of the server's last answer; those of another choice are not known before it is asked. */
export const codes = computed(() =>
  tokens.value ? codesByPlace(tokens.value.visual_tokens, tokens.value.keep_mask) : new Map<number, number>()
)
export const isStale = computed(() =>
  tokens.value !== undefined && mask.value.some((isKept, patch) => isKept !== tokens.value?.keep_mask[patch])
)

/** What a request says of the choice; the threshold always, so that the rule is the one that is drawn here. */
export const choiceOptions = computed((): Record<string, Option> => {
  const { keepThreshold, minVisualTokens: min, maxVisualTokens: max } = choice.value
  return {
    keep_threshold: keepThreshold,
    ...(min > least.value && { min_visual_tokens: min }),
    ...(max < patches.value && { max_visual_tokens: max }),
    ...modelOption.value
  }
})

export async function openPicture (blob: Blob, file: string): Promise<void> {
  const media = blob.type.startsWith('image/') ? blob.type : 'image/png'
  const stored = { file, media_type: media, base64: toBase64(new Uint8Array(await blob.arrayBuffer())) }
  if (picture.value) URL.revokeObjectURL(picture.value.url)
  tokens.value = undefined
  active.value = undefined
  picture.value = { blob, url: URL.createObjectURL(blob), stored }
}

export function tokenizeCall (stored: StoredFile): Call {
  return { route: 'tokenize', image: stored, options: choiceOptions.value }
}

/** Asks for the tokens of what is chosen now. */
export async function tokenize (): Promise<void> {
  const { value } = picture
  if (!value) return
  await tokenizing.run(async signal => {
    const text = await postPicture(tokenizeCall(value.stored), value.blob, { signal })
    if (picture.value !== value) return
    tokens.value = JSON.parse(text)
  })
}

/** A picture as raw body, with the options in the query. */
export function queryOf (call: Call, more: Record<string, string> = {}): string {
  const options = Object.entries({ ...call.options, ...more }).map(([name, value]) => [name, String(value)])
  return `${call.route}?${new URLSearchParams(options)}`
}

async function postPicture (call: Call, blob: Blob, init: RequestInit): Promise<string> {
  const headers = { 'content-type': call.image?.media_type ?? blob.type }
  return await askText(queryOf(call), { ...init, method: 'POST', headers, body: blob })
}
