/** One picture of a bulk job: its tasks asked one after the other, and the row that they become. */
import { setTimeout as pause } from 'node:timers/promises'
import { createRetries, endedEngine, type Refused } from '../../bulk/retries.ts'
import { answers as readers } from '../answers.ts'
import { Ending, exitCodes, Refusal, type Problem } from '../endings.ts'
import { jobs } from '../jobs.ts'
import type { Question } from '../peers/peer.ts'
import type { Session } from '../session.ts'
import { readItem, type Item } from './items.ts'
import { bulkTasks, type Job } from './job.ts'

type Image = string | { ref: string }
type Answer = ReturnType<typeof readers.bulkTask>

/** `text` is what is written: a line of JSON, the same for the same picture, whenever it is asked. */
export type Row = {
  text: string
  failedAs?: string
  /** An engine ended while it had the picture, which may not be to blame. */
  isUncertain?: boolean
  tokens: number[]
  caption?: string
  usage: { visual_tokens: number; completion_tokens: number }
}

/** Rejects with an Ending where not the picture is to blame, but the request, the server or its absence. */
export async function makeRow (item: Item, job: Job, session: Session, signal: AbortSignal): Promise<Row> {
  try {
    return rowOf(item, await askAll(item, job, session, signal))
  } catch (error) {
    if (!(error instanceof Refusal) || !isOfPicture(error, item)) throw error
    return { ...failedRow(item, error.problem), ...(hasEndedEngine(error) && { isUncertain: true }) }
  }
}

export function failedRow (item: Item, { status, code, detail }: Problem): Row {
  const text = JSON.stringify({ ...headOf(item), status, problem: { code, detail } })
  return { text, failedAs: code, tokens: [], usage: { visual_tokens: 0, completion_tokens: 0 } }
}

function headOf ({ input, id }: Item) {
  return { input, id } // what is undefined is not written
}

/** Answers of all tasks; the picture is sent with the first one alone, where the server keeps it. */
async function askAll (item: Item, { tasks, model }: Job, { ask, io }: Session, signal: AbortSignal) {
  const whole = await readItem(item, io)
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
    const answer = readers.bulkTask(body)
    answers.push(answer)
    if (answer.image_ref !== undefined) image = { ref: answer.image_ref }
  }
  return answers
}

function pick (item: Item, name: 'question' | 'prompt') {
  return item[name] === undefined ? {} : { [name]: item[name] }
}

function rowOf (item: Item, answers: Answer[]): Row {
  const { captions, answers: texts, count, keep_mask: mask, familiarity, warnings, visual_tokens: tokens = [] } =
    Object.assign({}, ...answers)
  const fields = { captions, answers: texts, count, keep_mask: mask, familiarity, warnings }
  return {
    text: JSON.stringify({ ...headOf(item), status: 200, ...fields }),
    tokens,
    caption: captions?.[0]?.text,
    usage: {
      visual_tokens: answers[0]?.usage.visual_tokens ?? 0,
      completion_tokens: answers.reduce((sum, { usage }) => sum + (usage.completion_tokens ?? 0), 0)
    }
  }
}

/** Whether a refusal belongs to the one picture, or to its own words in a list, and the others may do better. */
function isOfPicture (refusal: Refusal, item: Item): boolean {
  const { status, code, errors } = refusal.problem
  if (code !== 'invalid_field') return [413, 415, 422, 500, 504].includes(status) || hasEndedEngine(refusal)
  const own = ['image', 'question', 'prompt'].filter(name => Object.hasOwn(item, name))
  return Array.isArray(errors) && errors.every(({ pointer }) => own.includes(String(pointer).split('/')[1] ?? ''))
}

function hasEndedEngine (refusal: Refusal) {
  return endedEngine(refusedOf(refusal))
}

/** Asks again as long as there is hope; what has ended an engine is not asked for again in company. */
async function askFirmly (ask: Session['ask'], question: Question) {
  const pauseAfter = createRetries()
  for (;;) {
    try {
      return await ask(question, 1)
    } catch (error) {
      const refused = error instanceof Refusal ? refusedOf(error) : isAway(error) ? 'away' : undefined
      if (refused === undefined || (refused !== 'away' && endedEngine(refused))) throw error
      const seconds = pauseAfter(refused)
      if (seconds === undefined) throw error
      await pause(seconds * 1000, undefined, { signal: question.signal })
    }
  }
}

function refusedOf ({ problem: { status, code }, retryAfterSeconds, wasBegun }: Refusal): Refused {
  return { status, code, retryAfterSeconds, wasBegun }
}

function isAway (error: unknown) {
  return error instanceof Ending && error.exitCode === exitCodes.away
}
