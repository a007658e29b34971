/** lavit caption and lavit ask: a text about each picture. */
import { wrongUsage } from '../endings.ts'
import { jobs } from '../jobs.ts'
import { askAboutEach, type PictureAnswer } from '../pass.ts'
import { findPictures } from '../pictures.ts'
import { readText } from '../io.ts'
import type { Session } from '../session.ts'

type Texts = { text: string }[]

export async function caption (session: Session, words: string[], fields: Record<string, unknown>) {
  const { prompt } = fields
  if (prompt === '-' && words.includes('-')) throw wrongUsage('stdin is either the prompt or a picture')
  const body = { ...fields, ...(typeof prompt === 'string' && { prompt: await readText(prompt, session.io) }) }
  return askAboutEach<PictureAnswer & { captions: Texts }>(
    session,
    await findSubjects(session, words, fields),
    { path: jobs.caption.path, body },
    ({ captions }) => captions.map(({ text }) => text)
  )
}

export async function ask (session: Session, question: string, words: string[], fields: Record<string, unknown>) {
  if (question === '-' && words.includes('-')) throw wrongUsage('stdin is either the question or a picture')
  return askAboutEach<PictureAnswer & { answers: Texts }>(
    session,
    await findSubjects(session, words, fields),
    { path: jobs.ask.path, body: { ...fields, question: await readText(question, session.io) } },
    ({ answers }) => answers.map(({ text }) => text)
  )
}

/** The pictures, or what the visual tokens among the options stand for. */
async function findSubjects ({ io }: Session, words: string[], { visual_tokens: tokens }: Record<string, unknown>) {
  if ((words.length === 0) === (tokens === undefined)) throw wrongUsage('give pictures, or --visual-tokens')
  return tokens === undefined ? findPictures(words, io) : [{ name: 'visual_tokens', fields: async () => ({}) }]
}
