/** One request on its way through a task: what was sent with it, what ends it, and where its time went. */
import type { ImageLimits } from '../codecs/image.ts'
import type { Fetching } from '../fetching/fetching.ts'
import { unlessAborted } from '../pipe/abort.ts'
import type { SubmitOptions } from '../pipe/engine-client.ts'
import type { Course, StartOutlook, Timings } from '../pipe/messages.ts'
import type { ResultOf, Work } from '../pipe/work.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { LoadedModel, Registry } from '../registry/registry.ts'
import { kindOf } from './amounts.ts'
import type { Hold } from '../admission/shares.ts'
import type { Encodings } from './encodings.ts'
import { learn, type Experiences } from './experience.ts'
import type { JobStage, Measures } from './measures.ts'
import { tokensOf, type Run, type Story } from './story.ts'

export type Limits = ImageLimits & {
  maxUploadBytes: number
  maxPromptCharacters: number
  slots: number
  queueCost: number
}

export type Job = {
  /** The name of the key that asks; empty where the server asks for none. */
  owner: string
  registry: Pick<Registry, 'acquire' | 'look'>
  limits: Limits
  /** Who asks, for taking turns and for what one may take. */
  client: string
  encodings: Encodings
  experiences: Experiences
  /** Pictures by URL, where they are switched on. */
  fetching?: Fetching | undefined
  /** Memory for what is fetched, beside what was sent. */
  upload?: Pick<Hold, 'take'>
  /** Pictures that came as files or as long texts, beside the fields that have marks in their place. */
  uploads: (Uint8Array | string)[]
  /** Yields to all others, whatever the request says of its priority. */
  isBulk: boolean
  /** Ends the job wherever it is; the reason is the error that it ends with. */
  signal: AbortSignal
  /**
   * Milliseconds of each stage so far; `fetch` and `image`: pictures are fetched and decoded, `begin`: all before the
   * engine's first unit.
   */
  timings: Partial<Timings & { fetch: number; image: number; begin: number }>
  /** Time of `performance.now()`. */
  arrivedAt: number
  progress: { stage: JobStage }
  measures: Measures
  story: Story
  /** Bytes of each picture that came as a file and was read. */
  fileBytes: number[]
  /** What was to be expected when an engine took it. */
  outlook?: StartOutlook
  /** Hears how long the answer took, once it is known. */
  onAnswered?: (elapsedMs: number) => void
}

export type LentModel = {
  manifest: Manifest
  text: LoadedModel['text']
  admit: LoadedModel['admit']
  /** Runs work on an engine; `onPart` hears in order what there is so far. `task` is what the work is for. */
  run: <W extends Work>(
    work: W,
    options?: Pick<SubmitOptions, 'onPart'> & { task?: string }
  ) => Promise<ResultOf[W['task']]>
}

/**
 * Borrows the model for as long as `use` runs, and ends with the job's signal at the latest.
 * Rejects with `model_not_found`, with the signal's reason, or as the registry and the engine do.
 */
export async function withModel<T> (
  job: Job,
  { model: name, priority }: { model?: string; priority?: 'interactive' | 'bulk' },
  use: (model: LentModel) => Promise<T>
): Promise<T> {
  if (name !== undefined && !/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw new ServerError('model_not_found', 'There is no model of this name')
  }
  const { signal, timings, progress, measures } = job
  signal.throwIfAborted()
  progress.stage = 'load'
  const { manifest, text, admit, submit, release } = await job.registry.acquire(name, signal, job.client)
  progress.stage = 'image'
  try {
    return await unlessAborted(
      use({
        manifest,
        text,
        admit,
        async run (work, { onPart, task = work.task } = {}) {
          const experience = job.experiences.of(manifest)
          const kind = kindOf(work, task)
          const told: Run = { model: manifest.name, task, from: performance.now() }
          job.story.runs.push(told)
          let place = { ahead: 0, beside: 0 }
          let sentMs = 0
          const answer = await submit(work, {
            signal,
            onPart: onPart && (part => {
              if (part.kind === 'preview') measures.countPreview(manifest.name)
              onPart(part)
            }),
            onStage (stage) {
              progress.stage = stage
            },
            isBulk: job.isBulk || priority === 'bulk',
            client: job.client,
            onPlaced (placed) {
              progress.stage = 'queue'
              place = placed
              sentMs = performance.now() - job.arrivedAt
            },
            onTaken (outlook) {
              job.outlook = outlook
            }
          })
          const begin = sentMs + answer.timings.start
          Object.assign(timings, answer.timings, { begin })
          Object.assign(told, { to: performance.now(), course: answer.course, ...tokensOf(answer.result) })
          progress.stage = 'answer'
          measures.observeAnswer({ model: manifest.name, task }, seenOf(job, answer.course))
          const amounts = learn(experience, manifest, { work, task, fileBytes: job.fileBytes }, place, answer)
          const { fetch = 0, image = 0 } = timings // what others' servers take says nothing of the next one
          experience.speeds.addStart(kind, place, begin - fetch)
          job.onAnswered = elapsedMs => {
            const all = elapsedMs - fetch
            const rest = Math.max(0, all - image - inEngine(answer.timings))
            experience.speeds.addOutside(kind, place.beside, amounts, { image, rest, all })
          }
          return answer.result
        }
      }),
      signal
    )
  } finally {
    release()
  }
}

function inEngine ({ queue, encode, prefill, decode, paint }: Timings): number {
  return queue + encode + prefill + decode + paint
}

/** The first token is drawn when the prompt is read; each step of decoding gives one more, of all texts at once. */
function seenOf ({ arrivedAt }: Job, { ms, phases: { prefill, decode }, kept }: Course) {
  if (prefill === undefined) return { kept }
  const beforeMs = performance.now() - arrivedAt - ms
  return {
    kept,
    firstTokenMs: beforeMs + prefill.to,
    ...(decode && { tokenMs: (decode.to - prefill.to) / decode.units })
  }
}
