/** A picture becomes a sentence. */
import type { CaptionRequest, CaptionResponse } from '../schemas/understanding.ts'
import type { Job } from './job.ts'
import { readText } from './prompt.ts'
import { readPictureAsText } from './understanding.ts'

export async function caption (job: Job, { prompt = '', ...options }: CaptionRequest): Promise<CaptionResponse> {
  const { model, texts, common } = await readPictureAsText(job, options, 'caption', prompt, () => readText(prompt))
  return { model, captions: texts, ...common }
}
