/** A picture and a question become an answer. */
import type { Tell } from '../schemas/events.ts'
import type { VqaRequest, VqaResponse } from '../schemas/understanding.ts'
import type { Job } from './job.ts'
import { readRequiredText } from './prompt.ts'
import { readPictureAsText } from './understanding.ts'

export async function answerQuestion (
  job: Job,
  { question, ...options }: VqaRequest,
  tell?: Tell
): Promise<VqaResponse> {
  const layOut = ({ prompts }: { prompts: { question: string } }) =>
    prompts.question.replace('{question}', () => readRequiredText(question, '/question'))
  const { model, texts, common } = await readPictureAsText(job, options, 'vqa', question, layOut, tell)
  return { model, answers: texts, ...common }
}
