/** lavit caption and lavit ask: a text about each picture. */
import { answers } from '../answers.ts'
import { wrongUsage } from '../endings.ts'
import { jobs } from '../jobs.ts'
import { askAboutEach } from '../pass.ts'
import { findPictures } from '../pictures.ts'
import { readText } from '../io.ts'
import type { Session } from '../session.ts'

type Fields = Record<string, unknown>

export async function caption (session: Session, words: string[], fields: Fields) {
  const { subjects, body } = await readCaption(session, words, fields)
  const request = { path: jobs.caption.path, body, read: answers.caption }
  return askAboutEach(session, subjects, request, ({ captions }) => captions.map(({ text }) => text))
}

export async function ask (session: Session, question: string, words: string[], fields: Fields) {
  const { subjects, body } = await readQuestion(session, question, words, fields)
  const request = { path: jobs.ask.path, body, read: answers.ask }
  return askAboutEach(session, subjects, request, ({ answers }) => answers.map(({ text }) => text))
}

export async function readCaption (session: Session, words: string[], fields: Fields) {
  const { prompt } = fields
  if (prompt === '-' && words.includes('-')) throw wrongUsage('stdin is either the prompt or a picture')
  const body = { ...fields, ...(typeof prompt === 'string' && { prompt: await readText(prompt, session.io) }) }
  return { subjects: await findSubjects(session, words, fields), body }
}

export async function readQuestion (session: Session, question: string, words: string[], fields: Fields) {
  if (question === '-' && words.includes('-')) throw wrongUsage('stdin is either the question or a picture')
  const subjects = await findSubjects(session, words, fields)
  return { subjects, body: { ...fields, question: await readText(question, session.io) } }
}

/** The pictures, or what the visual tokens among the options stand for. */
async function findSubjects ({ io }: Session, words: string[], { visual_tokens: tokens }: Fields) {
  if ((words.length === 0) === (tokens === undefined)) throw wrongUsage('give pictures, or --visual-tokens')
  return tokens === undefined ? findPictures(words, io) : [{ name: 'visual_tokens', fields: async () => ({}) }]
}
