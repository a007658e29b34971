/** One request to the server as data: what history keeps, recipes carry and snippets write. */

/** A picture file as base64. */
export type StoredFile = { file: string; media_type: string; base64: string }
export type Route = 'tokenize' | 'caption' | 'vqa' | 'generate' | 'detokenize'
export type Part =
  | { type: 'text'; text: string }
  | { type: 'image'; image: StoredFile }
  | { type: 'visual_tokens'; visual_tokens: number[] }
export type Option = string | number

/** `image` stands before the options, as a raw body does. */
export type Call = {
  route: Route
  image?: StoredFile
  prompt?: string | Part[]
  visual_tokens?: number[]
  options: Record<string, Option>
}

export const routes: readonly Route[] = ['tokenize', 'caption', 'vqa', 'generate', 'detokenize']

export function dataUrl ({ media_type: type, base64 }: StoredFile): string {
  return `data:${type};base64,${base64}`
}

/** The call as the server's JSON takes it. */
export function bodyOf ({ image, prompt, visual_tokens: tokens, options }: Call): Record<string, unknown> {
  return {
    ...(image && { image: dataUrl(image) }),
    ...(prompt !== undefined && { prompt: typeof prompt === 'string' ? prompt : prompt.map(wirePart) }),
    ...(tokens && { visual_tokens: tokens }),
    ...options
  }
}

function wirePart (part: Part): object {
  return part.type === 'image' ? { type: 'image', image: dataUrl(part.image) } : part
}

/** Every picture of a call. */
export function filesOf ({ image, prompt }: Call): StoredFile[] {
  const parts = Array.isArray(prompt) ? prompt : []
  return [...(image ? [image] : []), ...parts.flatMap(part => (part.type === 'image' ? [part.image] : []))]
}
