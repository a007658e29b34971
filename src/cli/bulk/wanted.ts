/** What a bulk job is asked to do: its tasks with their options, and the model. */
import { answers } from '../answers.ts'
import { wrongUsage } from '../endings.ts'
import { fieldsOfJob, flagOf } from '../options.ts'
import type { Session } from '../session.ts'
import { bulkTasks, digestOf, type BulkTask, type Job } from './job.ts'

type Fields = Record<string, unknown>

/**
 * The request of each task: the fields that it has, work that yields to others, and a seed that stays. Throws an Ending
 * where no task takes one of those that were `wanted`.
 */
export function tasksOf (words: string, fields: Fields, wanted: string[]): Job['tasks'] {
  const names = words.split(',').map(word => word.trim())
  const wrong = names.find(name => !bulkTasks.some(task => task === name))
  if (wrong !== undefined) throw wrongUsage(`--do: ${JSON.stringify(wrong)} is none of ${bulkTasks.join(', ')}`)
  const tasks = bulkTasks.filter(task => names.includes(task))
  const idle = wanted.find(name => name !== 'model' && !tasks.some(task => namesOf(task).includes(name)))
  if (idle !== undefined) throw wrongUsage(`${flagOf(idle)}: nothing that --do names takes it`)
  const given = { priority: 'bulk', seed: 0, ...fields }
  return Object.fromEntries(tasks.map(task => [task, fieldsFor(task, given)]))
}

function namesOf (task: BulkTask): string[] {
  return [...fieldsOfJob(task).map(({ name }) => name), ...(task === 'ask' ? ['question'] : [])]
}

function fieldsFor (task: BulkTask, given: Fields): Fields {
  const names = namesOf(task)
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name) && name !== 'model'))
}

/** The model by name, and a digest of all its files. */
export async function findModel ({ ask }: Session, wanted: unknown, { tokenize }: Job['tasks']) {
  const model = typeof wanted === 'string' ? wanted : answers.models((await ask({ path: '/models' })).body).default
  const { digests = {}, limits } = answers.bulkModel((await ask({ path: `/models/${encodeURIComponent(model)}` })).body)
  if (tokenize && (limits?.codebook_size ?? 0) > 65_536) {
    throw wrongUsage(`visual tokens of ${model} do not fit into 16 bits`)
  }
  return { model, digest: digestOf(JSON.stringify(Object.entries(digests).sort())) }
}
