/** One picture of a bulk job: its tasks asked one after the other, and the row that they become. */
import { setTimeout as pause } from 'node:timers/promises'
import { Ending, exitCodes, Refusal } from '../endings.ts'
import { jobs } from '../jobs.ts'
import type { Question } from '../peers/peer.ts'
import { readImage } from '../pictures.ts'
import type { Session } from '../session.ts'
import type { Item } from './items.ts'
import { bulkTasks, type Job } from './job.ts'

type Image = string | { ref: string }
type Answer = {
  image_ref?: string
  captions?: { text: string }[]
  answers?: { text: string }[]
  visual_tokens?: number[]
  count?: number
  keep_mask?: boolean[]
  familiarity?: number
  warnings?: unknown[]
  usage: { visual_tokens: number; completion_tokens?: number }
}

/** `line` is what is written; it holds the same for the same picture, whenever it is asked. */
export type Row = {
  line: Record<string, unknown>
  failedAs?: string
  tokens: number[]
  captions: { text: string }[]
  usage: { visual_tokens: number; completion_tokens: number }
}

/** Rejects with an Ending where not the picture is to blame, but the request, the server or its absence. */
export async function makeRow (item: Item, job: Job, session: Session, signal: AbortSignal): Promise<Row> {
  const head = { input: item.input, ...(item.id !== undefined && { id: item.id }) }
  try {
    return rowOf(head, await askAll(item, job, session, signal))
  } catch (error) {
    if (!(error instanceof Refusal) || !isOfPicture(error)) throw error
    const { status, code, detail } = error.problem
    const line = { ...head, status, problem: { code, detail } }
    return { line, failedAs: code, tokens: [], captions: [], usage: { visual_tokens: 0, completion_tokens: 0 } }
  }
}

/** Answers of all tasks; the picture is sent with the first one alone, where the server keeps it. */
async function askAll (item: Item, { tasks, model }: Job, { ask, io }: Session, signal: AbortSignal) {
  const whole = item.image.startsWith('data:') ? item.image : await readImage(item.image, io)
  let image: Image = whole
  const answers: Answer[] = []
  for (const task of bulkTasks) {
    const { [task]: options } = tasks
    if (options === undefined) continue
    const request = (image: Image) => {
      const words = task === 'tokenize' ? {} : task === 'ask' ? pick(item, 'question') : pick(item, 'prompt')
      return askFirmly(ask, { path: jobs[task].path, body: { ...options, ...words, image, model }, signal })
    }
    const { body } = await request(image).catch(error => {
      if (error instanceof Refusal && error.problem.code === 'image_ref_expired') return request(whole)
      throw error
    })
    const answer: Answer = JSON.parse(body.toString('utf8'))
    answers.push(answer)
    if (answer.image_ref !== undefined) image = { ref: answer.image_ref }
  }
  return answers
}

function pick (item: Item, name: 'question' | 'prompt') {
  return item[name] === undefined ? {} : { [name]: item[name] }
}

function rowOf (head: Record<string, unknown>, answers: Answer[]): Row {
  const { captions, answers: texts, count, keep_mask: mask, familiarity, warnings, visual_tokens: tokens = [] } =
    Object.assign({}, ...answers)
  const fields = { captions, answers: texts, count, keep_mask: mask, familiarity, warnings }
  return {
    line: { ...head, status: 200, ...fields }, // what is undefined is not written
    tokens,
    captions: captions ?? [],
    usage: {
      visual_tokens: answers[0]?.usage.visual_tokens ?? 0,
      completion_tokens: answers.reduce((sum, { usage }) => sum + (usage.completion_tokens ?? 0), 0)
    }
  }
}

/** Whether a refusal belongs to the one picture, and the others may do better. */
function isOfPicture ({ problem: { status, code, errors } }: Refusal): boolean {
  if (code !== 'invalid_field') return [413, 415, 422, 500, 504].includes(status) || code === 'engine_restarting'
  return Array.isArray(errors) && errors.every(({ pointer }) => /^\/(image|question|prompt)\b/.test(String(pointer)))
}

/** Asks again as long as there is hope. */
async function askFirmly (ask: Session['ask'], question: Question) {
  for (let tries = 1; ; tries++) {
    try {
      return await ask(question, 1)
    } catch (error) {
      const seconds = pauseAfter(error, tries)
      if (seconds === undefined) throw error
      await pause(seconds * 1000, undefined, { signal: question.signal })
    }
  }
}

/** Seconds until the next try; undefined where there shall be none. A server that is away has two minutes. */
export function pauseAfter (error: unknown, tries: number): number | undefined {
  if (error instanceof Refusal) {
    const { retryAfterSeconds, problem: { status, code } } = error
    if (status === 429) return Math.min(retryAfterSeconds ?? 1, 60)
    if (status === 503 && retryAfterSeconds !== undefined) {
      return code === 'engine_restarting' && tries >= 5 ? undefined : Math.min(retryAfterSeconds, 60)
    }
    return status === 500 && tries < 3 ? 1 : undefined
  }
  return error instanceof Ending && error.exitCode === exitCodes.away && tries < 15 ? Math.min(tries, 10) : undefined
}
