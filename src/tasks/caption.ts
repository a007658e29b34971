/** A picture becomes a sentence. */
import type { Tell } from '../schemas/events.ts'
import type { CaptionRequest, CaptionResponse } from '../schemas/understanding.ts'
import type { Job } from './job.ts'
import { readText } from './prompt.ts'
import { readPictureAsText } from './understanding.ts'

export async function caption (
  job: Job,
  { prompt = '', ...options }: CaptionRequest,
  tell?: Tell
): Promise<CaptionResponse> {
  const { model, texts, common } = await readPictureAsText(
    job,
    options,
    'caption',
    prompt,
    () => readText(prompt),
    tell
  )
  return { model, captions: texts, ...common }
}
