/** What a run was asked and answered, in a line. */
import { dataUrl, type Call } from './call.ts'
import type { Run } from './history-file.ts'

export function tellAsked ({ call: { route, image, prompt, visual_tokens: tokens, options } }: Run): string {
  if (route === 'vqa') return String(options.question)
  if (prompt !== undefined) return tellParts(prompt)
  return tokens ? `${tokens.length} tokens` : image?.file ?? route
}

/** The first text, or what was painted. */
export function tellAnswer ({ answer }: Run): string {
  const { captions, answers, images } = JSON.parse(answer)
  return captions?.[0]?.text ?? answers?.[0]?.text ?? tellPainted(images ?? [])
}

function tellPainted (images: { seed?: number; visual_tokens?: number[] }[]): string {
  const [first] = images
  if (images.length !== 1) return `${images.length} pictures`
  return `seed ${first?.seed}, ${first?.visual_tokens?.length} tokens`
}

/** A picture to know the run by: what was painted, or what was asked about. */
export function pictureOf ({ call: { image }, answer }: Run): string | undefined {
  if (image) return dataUrl(image)
  const [first] = JSON.parse(answer).images
  return first && `data:${first.media_type};base64,${first.data}`
}

/** A prompt in one line. */
export function tellParts (prompt: NonNullable<Call['prompt']>): string {
  if (typeof prompt === 'string') return prompt
  return prompt.map(part => {
    if (part.type === 'text') return part.text
    return part.type === 'image' ? `[${part.image.file}]` : `[${part.visual_tokens.length} tokens]`
  }).join(' ')
}
