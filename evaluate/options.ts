/** The command line of the evaluation. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Source } from './data/coco.ts'
import { DataError } from './data/files.ts'

export const taskNames = ['caption', 'vqa', 'generate', 'tokenize'] as const
export type TaskName = (typeof taskNames)[number]

export type Options = {
  task: TaskName
  source: Source
  url: string
  model: string | undefined
  limit: number
  seed: number
  concurrency: number
  request: Record<string, unknown>
  judge: string
  features: string
  pictures: string | undefined
  out: string | undefined
}

export const usage = `npm run evaluate -- --task caption|vqa|generate|tokenize --data FOLDER [options]

  --url URL            of the server (http://127.0.0.1:8080); LAVIT_KEY is its key
  --model NAME         instead of the server's default model
  --limit N            only the first N pictures, questions or prompts
  --request JSON       fields for every request, such as '{"num_beams": 2}'
  --seed N             of requests, choices and intervals (0)
  --concurrency N      requests at a time (8)
  --out FILE           where the report goes, with a record for each item
  --images FOLDER      pictures, where they are not in FOLDER/images
  --captions FILE      COCO captions, where FOLDER does not hold exactly one captions*.json
  --questions FILE     VQA questions, where FOLDER does not hold exactly one *questions*.json
  --annotations FILE   VQA answers, where FOLDER does not hold exactly one *annotations*.json
  --features FILE      ONNX network for the Fréchet distance (the judge)
  --judge FILE         ONNX network that recognises painted things (models/recipe/weights/judge.onnx)
  --pictures FOLDER    where painted pictures are kept

docs/evaluation.md says more.`

const text = { type: 'string' } as const

export function readOptions (args: string[]): Options {
  const { values } = parse(args)
  const task = taskNames.find(name => name === values.task)
  if (!task) throw new DataError(`--task must be one of ${taskNames.join(', ')}\n\n${usage}`)
  if (values.data === undefined) throw new DataError(`--data must name a folder\n\n${usage}`)
  const judge = values.judge ?? fileURLToPath(new URL('../models/recipe/weights/judge.onnx', import.meta.url))
  return {
    task,
    source: {
      folder: values.data,
      ...(values.images !== undefined && { images: values.images }),
      ...(values.captions !== undefined && { captions: values.captions }),
      ...(values.questions !== undefined && { questions: values.questions }),
      ...(values.annotations !== undefined && { annotations: values.annotations })
    },
    url: address(values.url),
    model: values.model,
    limit: values.limit === undefined ? Infinity : wholeNumber('--limit', values.limit, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    concurrency: wholeNumber('--concurrency', values.concurrency, 1),
    request: fields(values.request),
    judge,
    features: values.features ?? judge,
    pictures: values.pictures,
    out: values.out
  }
}

function parse (args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        task: text,
        data: text,
        url: { ...text, default: 'http://127.0.0.1:8080' },
        model: text,
        limit: text,
        request: { ...text, default: '{}' },
        seed: { ...text, default: '0' },
        concurrency: { ...text, default: '8' },
        out: text,
        images: text,
        captions: text,
        questions: text,
        annotations: text,
        features: text,
        judge: text,
        pictures: text
      }
    })
  } catch (cause) {
    throw new DataError(`${(cause as Error).message}\n\n${usage}`, { cause })
  }
}

function wholeNumber (name: string, value: string, least: number): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < least) {
    throw new DataError(`${name} must be a whole number from ${least} up`)
  }
  return number
}

function address (url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new DataError('--url must be an address, such as http://127.0.0.1:8080')
  }
  const { username, password } = new URL(url)
  if (username || password) throw new DataError('--url must hold no name or password; LAVIT_KEY is for a key')
  if (/[?#]/.test(url)) throw new DataError('--url must end with the path of the server: paths are put after it')
  return url
}

function fields (json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  throw new DataError('--request must be a JSON object')
}
