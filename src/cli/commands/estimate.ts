/** lavit estimate: what a job would come to, for the words and options of its command. */
import { answers } from '../answers.ts'
import { wrongUsage } from '../endings.ts'
import { jobs, type JobName } from '../jobs.ts'
import { askAboutEach } from '../pass.ts'
import { findPictures, type Picture } from '../pictures.ts'
import type { Session } from '../session.ts'
import { readCodes, readPrompt } from './paint.ts'
import { readCaption, readQuestion } from './understand.ts'

type Fields = Record<string, unknown>
type Estimate = ReturnType<typeof answers.estimate>

/** Of each picture, or of the whole prompt. */
export async function estimate (session: Session, name: JobName, words: string[], fields: Fields) {
  const { path } = jobs[name]
  const { subjects, body } = await readJob(session, name, words, fields)
  const asking: Session = {
    ...session,
    ask: ({ body, ...question }) =>
      session.ask({ ...question, path: '/estimate', body: { job: path.slice(1), request: body } })
  }
  return askAboutEach(asking, subjects, { path, body, read: answers.estimate }, told => [tell(told)])
}

async function readJob (
  session: Session,
  name: JobName,
  words: string[],
  fields: Fields
): Promise<{ subjects: Picture[]; body: Fields }> {
  const [question, ...pictures] = words
  switch (name) {
    case 'caption':
      return readCaption(session, words, fields)
    case 'ask':
      if (question === undefined) throw wrongUsage('give a question')
      return readQuestion(session, question, pictures, fields)
    case 'tokenize':
      if (words.length === 0) throw wrongUsage('give pictures')
      return { subjects: await findPictures(words, session.io), body: fields }
    case 'paint':
      return { subjects: [alone('prompt')], body: { ...fields, ...(await readPrompt(session, words)) } }
    case 'detokenize':
      return { subjects: [alone('visual_tokens')], body: { ...fields, ...(await readCodes(session, words)) } }
  }
}

function alone (name: string): Picture {
  return { name, fields: async () => ({}) }
}

/** `~` stands before what is not exact. */
function tell ({ usage, exact, cost, position, start_seconds: start, seconds }: Estimate): string {
  const counts = Object.entries(usage).map(([name, count]) => `${exact.includes(name) ? '' : '~'}${count} ${name}`)
  return [`${seconds} s`, `begins in ${start} s behind ${position}`, `cost ${cost}`, ...counts].join(', ')
}
