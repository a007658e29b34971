/** Why a model cannot be used, told to those who ask for it. Without a time to come back, it is for good. */
import { ServerError } from '../errors.ts'
import { PackageError } from '../package/package.ts'

const patienceMs = 30_000 // how long a request waits for a load or a restart

/** Own words only: a library's may hold paths, and stay in the log. */
export function tellReason (error: unknown) {
  return error instanceof PackageError || error instanceof ServerError ? error.message : 'its files cannot be read'
}

/** `model_unavailable` with its reason; `retryAfterSeconds` where it is tried again by itself. */
export function unavailable (model: string, reason: string, retryAfterSeconds?: number) {
  return new ServerError(
    'model_unavailable',
    `The model ${model} could not be loaded: ${reason}`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  )
}

export function loadingError (waitMs: number) {
  return new ServerError('model_loading', 'The model is being loaded', { retryAfterSeconds: Math.ceil(waitMs / 1000) })
}

export function restartingError (waitMs: number) {
  return new ServerError('engine_restarting', 'The engine process ended; it is being started again', {
    retryAfterSeconds: Math.ceil(waitMs / 1000)
  })
}

export function drainingError () {
  return new ServerError('draining', 'The server is shutting down', { retryAfterSeconds: 5 })
}

export function unloadedError () {
  return new ServerError('draining', 'The model is being unloaded')
}

/** Settles as the promise does, or rejects with what `tell` says when it takes longer than a request waits. */
export async function impatiently<T> (promise: Promise<T>, tell: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tell()), patienceMs)
  })
  return Promise.race([promise, impatience]).finally(() => clearTimeout(timer))
}
