/** One request on its way through a task: what was sent with it, what ends it, and where its time went. */
import type { ImageLimits } from '../codecs/image.ts'
import type { Fetching } from '../fetching/fetching.ts'
import { unlessAborted } from '../pipe/abort.ts'
import type { SubmitOptions } from '../pipe/engine-client.ts'
import type { Timings } from '../pipe/messages.ts'
import type { ResultOf, Work } from '../pipe/work.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { LoadedModel, Registry } from '../registry/registry.ts'
import type { Hold } from '../admission/shares.ts'
import type { Encodings } from './encodings.ts'

export type Limits = ImageLimits & {
  maxUploadBytes: number
  maxPromptCharacters: number
  slots: number
  queueCost: number
}

export type Job = {
  /** The name of the key that asks; empty where the server asks for none. */
  owner: string
  registry: Pick<Registry, 'acquire'>
  limits: Limits
  /** Who asks, for taking turns and for what one may take. */
  client: string
  encodings: Encodings
  /** Pictures by URL, where they are switched on. */
  fetching?: Fetching | undefined
  /** Memory for what is fetched, beside what was sent. */
  upload?: Pick<Hold, 'take'>
  /** Pictures that came as files or as long texts, beside the fields that have marks in their place. */
  uploads: (Uint8Array | string)[]
  /** Ends the job wherever it is; the reason is the error that it ends with. */
  signal: AbortSignal
  /** Milliseconds of each stage so far; `image` is the decoding of pictures. */
  timings: Partial<Timings & { image: number }>
}

export type LentModel = {
  manifest: Manifest
  text: LoadedModel['text']
  admit: LoadedModel['admit']
  /** Runs work on an engine; `onPart` hears in order what there is so far. */
  run: <W extends Work>(work: W, options?: Pick<SubmitOptions, 'onPart'>) => Promise<ResultOf[W['task']]>
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
  const { signal, timings } = job
  signal.throwIfAborted()
  const { manifest, text, admit, submit, release } = await job.registry.acquire(name, signal, job.client)
  try {
    return await unlessAborted(
      use({
        manifest,
        text,
        admit,
        async run (work, { onPart } = {}) {
          const answer = await submit(work, { signal, onPart, isBulk: priority === 'bulk', client: job.client })
          Object.assign(timings, answer.timings)
          return answer.result
        }
      }),
      signal
    )
  } finally {
    release()
  }
}
