/** One request on its way through a task: what was sent with it, what ends it, and where its time went. */
import type { ImageLimits } from '../codecs/image.ts'
import type { Timings } from '../pipe/messages.ts'
import type { ResultOf, Work } from '../pipe/work.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { LoadedModel, Registry } from '../registry/registry.ts'

export type Limits = ImageLimits & { maxUploadBytes: number, maxPromptCharacters: number, slots: number, queueCost: number }

export type Job = {
  registry: Pick<Registry, 'acquire'>
  limits: Limits
  /** Pictures that came as files rather than inside the JSON. */
  uploads: Uint8Array[]
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal
  startedAt: number // by performance.now()
  /** When the deadline passes, by performance.now(), once it is known. */
  endsAt?: number
  /** Milliseconds of each stage so far; `image` is the decoding of pictures. */
  timings: Partial<Timings & { image: number }>
}

export type LentModel = {
  manifest: Manifest
  text: LoadedModel['text']
  run: <W extends Work>(work: W) => Promise<ResultOf[W['task']]>
}

/**
 * Borrows the model for as long as `use` runs, within the deadline.
 * Rejects with `model_not_found`, `deadline_exceeded`, `request_cancelled`, or as the registry and the engine do.
 */
export async function withModel<T> (job: Job, { model: name, deadline_ms: deadlineMs = Infinity }: { model?: string, deadline_ms?: number }, use: (model: LentModel) => Promise<T>): Promise<T> {
  if (name !== undefined && !/^[a-z0-9][a-z0-9._-]*$/.test(name)) throw new ServerError('model_not_found', 'There is no model of this name')
  const endsAt = job.endsAt = job.startedAt + deadlineMs
  const remaining = () => endsAt - performance.now()
  const model = await borrow(job, name, remaining())
  try {
    return await use({
      manifest: model.manifest,
      text: model.text,
      async run (work) {
        const left = remaining()
        if (left <= 0) throw deadlineExceeded()
        const { result, timings } = await model.submit(work, { signal: job.signal, ...(left < Infinity && { deadlineMs: left }) })
        Object.assign(job.timings, timings)
        return result
      }
    })
  } finally {
    model.release()
  }
}

/** Gives up waiting when the job ends first; a model that is lent after that goes straight back. */
async function borrow (job: Job, name: string | undefined, withinMs: number): Promise<LoadedModel> {
  const lending = job.registry.acquire(name)
  let timer: NodeJS.Timeout | undefined
  let onAbort = () => {}
  const ending = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new ServerError('request_cancelled', 'The client left'))
    if (job.signal.aborted) return onAbort()
    job.signal.addEventListener('abort', onAbort)
    if (withinMs < Infinity) timer = setTimeout(() => reject(deadlineExceeded()), Math.max(0, withinMs))
  })
  try {
    return await Promise.race([lending, ending])
  } catch (error) {
    lending.then(model => model.release(), () => {})
    throw error
  } finally {
    clearTimeout(timer)
    job.signal.removeEventListener('abort', onAbort)
  }
}

function deadlineExceeded () {
  return new ServerError('deadline_exceeded', 'The deadline passed before the work was done')
}
