/** A picture and a question become an answer. */
import type { Tell } from '../schemas/events.ts'
import type { VqaRequest, VqaResponse } from '../schemas/understanding.ts'
import type { Job } from './job.ts'
import { readRequiredText } from './prompt.ts'
import { readPictureAsText, type Asked } from './understanding.ts'

export async function answerQuestion (
  job: Job,
  request: VqaRequest,
  tell?: Tell
): Promise<VqaResponse> {
  const { model, texts, common } = await readPictureAsText(job, askQuestion(request), tell)
  return { model, answers: texts, ...common }
}

export function askQuestion ({ question, ...options }: VqaRequest): Asked {
  return {
    task: 'vqa',
    options,
    sent: question,
    layOut: ({ prompts }) => prompts.question.replace('{question}', () => readRequiredText(question, '/question'))
  }
}
