/** How requests end that their engine did not end. */
import { ServerError } from '../errors.ts'

const unread = new WeakSet<Error>()

/** The engine process is gone, and the request with it. */
export function restartingError () {
  return new ServerError('engine_restarting', 'The engine process ended; it is being started again', {
    retryAfterSeconds: 1
  })
}

/** As `restartingError`, for a request that the engine had not read: it can be sent to the next one. */
export function unreadError () {
  const error = restartingError()
  unread.add(error)
  return error
}

export function isUnread (error: unknown) {
  return error instanceof Error && unread.has(error)
}

/** The engine was closed, and the request was not done in time. */
export function unloadedError () {
  return new ServerError('draining', 'The model was unloaded before the work was done')
}
