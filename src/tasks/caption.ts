/** A picture becomes a sentence. */
import type { Tell } from '../schemas/events.ts'
import type { CaptionRequest, CaptionResponse } from '../schemas/understanding.ts'
import type { Job } from './job.ts'
import { readText } from './prompt.ts'
import { readPictureAsText, type Asked } from './understanding.ts'

export async function caption (
  job: Job,
  request: CaptionRequest,
  tell?: Tell
): Promise<CaptionResponse> {
  const { model, texts, common } = await readPictureAsText(job, askForCaption(request), tell)
  return { model, captions: texts, ...common }
}

export function askForCaption ({ prompt = '', ...options }: CaptionRequest): Asked {
  return { task: 'caption', options, sent: prompt, layOut: () => readText(prompt) }
}
