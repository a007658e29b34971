/**
 * Every error this server can answer: code, status, title, and when it happens; and the one class that carries them.
 */

/** What is wrong with one field: a JSON pointer into the request, and a sentence. */
export type FieldError = { pointer: string; message: string }

/** What an error may carry beside its code and detail. */
export type ErrorExtras = {
  errors?: FieldError[]
  retryAfterSeconds?: number
  headers?: Record<string, string>
  cause?: unknown
}

/** The table behind the problem documents, docs/api.md and the OpenAPI document. */
export const errorTable = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    when: 'The body is not JSON, the multipart form is broken, or the request cannot be parsed'
  },
  unauthorized: {
    status: 401,
    title: 'Key required',
    when: 'The route needs a key, and the request has none or a wrong one'
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    when: 'The key may not do this, or the route is switched off: no key is configured for it, or no folder'
  },
  not_found: { status: 404, title: 'Not found', when: 'No route has this path' },
  model_not_found: { status: 404, title: 'Model not found', when: 'No model has this name' },
  file_not_found: { status: 404, title: 'File not found', when: 'The client has no file of this name' },
  batch_not_found: { status: 404, title: 'Batch not found', when: 'The client has no batch of this name' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    when: 'The path exists, but not with this method; see `Allow`'
  },
  not_acceptable: {
    status: 406,
    title: 'Not acceptable',
    when: 'The route has no answer in a form that `Accept` names'
  },
  request_timeout: { status: 408, title: 'Request timeout', when: 'The request did not arrive in time' },
  image_ref_expired: {
    status: 410,
    title: 'Image reference expired',
    when: 'The server no longer holds the picture behind this reference; send the picture again'
  },
  too_large: {
    status: 413,
    title: 'Too large',
    when: 'The body, the picture, the prompt or the requested output is over a limit'
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    when: 'The content is not a picture of an allowed format, or the body is of a type that the route does not read'
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation failed',
    when: '`Expect` asks for something other than `100-continue`'
  },
  invalid_field: {
    status: 422,
    title: 'Invalid field',
    when: 'A field is unknown, missing, of the wrong type or out of range'
  },
  image_unreadable: { status: 422, title: 'Image unreadable', when: 'The picture is truncated or corrupt' },
  image_unreachable: {
    status: 422,
    title: 'Image unreachable',
    when: 'The picture of a URL could not be fetched: no answer in time, another status than 200, too many redirects'
  },
  queue_full: {
    status: 429,
    title: 'Queue full',
    when: 'The model, or the key, has as much work waiting as it may have; see `Retry-After`'
  },
  rate_limited: {
    status: 429,
    title: 'Rate limited',
    when: 'The key has asked as often as it may; see `Retry-After` and `RateLimit`'
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    when: 'The request line and headers are over the limit'
  },
  request_cancelled: {
    status: 499,
    title: 'Request cancelled',
    when: 'The client left before the answer; seen in logs and metrics only'
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    when: 'A fault of the server; the log holds the cause under the request id'
  },
  model_loading: { status: 503, title: 'Model loading', when: 'The model is being loaded; see `Retry-After`' },
  model_unavailable: {
    status: 503,
    title: 'Model unavailable',
    when: 'The model could not be loaded: its files, its device or the memory budget stand in the way'
  },
  draining: { status: 503, title: 'Draining', when: 'The server is shutting down and takes no new work' },
  engine_restarting: {
    status: 503,
    title: 'Engine restarting',
    when: 'The process that runs the model ended and is started again; see `Retry-After`'
  },
  batches_unavailable: {
    status: 503,
    title: 'Batches unavailable',
    when: 'Another server holds the folder of batches, as while one takes over from the other; see `Retry-After`'
  },
  deadline_exceeded: {
    status: 504,
    title: 'Deadline exceeded',
    when: '`deadline_ms` passed before the work was done; the work was stopped'
  },
  storage_full: {
    status: 507,
    title: 'Storage full',
    when: 'The server, or the client, has as many bytes of files as it may have; delete some'
  }
} as const satisfies Record<string, { status: number; title: string; when: string }>

export type ErrorCode = keyof typeof errorTable

export const errorCodes = Object.keys(errorTable).filter(isErrorCode)

/** An error of the table. `detail` is told to the client, `cause` is for the log. */
export class ServerError extends Error {
  readonly code: ErrorCode
  readonly statusCode: number
  readonly errors?: FieldError[]
  readonly retryAfterSeconds?: number
  readonly headers?: Record<string, string>

  constructor (code: ErrorCode, detail: string, { cause, ...extras }: ErrorExtras = {}) {
    super(detail, cause === undefined ? undefined : { cause })
    this.code = code
    this.statusCode = errorTable[code].status
    Object.assign(this, extras)
  }
}

/** Rebuilds an error that crossed the pipe as `{ code, detail }`; an unknown code is a fault of ours. */
export function errorFromCode (code: string, detail: string, retryAfterSeconds?: number) {
  return new ServerError(
    isErrorCode(code) ? code : 'internal_error',
    detail,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  )
}

/** An `invalid_field` for one field, by its JSON pointer. */
export function invalidField (pointer: string, message: string) {
  return ofField('invalid_field', pointer, message)
}

/** An `invalid_request` for one field, which is well formed but asks for what no answer here has. */
export function refusedField (pointer: string, message: string) {
  return ofField('invalid_request', pointer, message)
}

function ofField (code: ErrorCode, pointer: string, message: string) {
  return new ServerError(code, `${pointer.slice(1) || 'The request'} ${message}`, { errors: [{ pointer, message }] })
}

/** The error of a request that another one was made of, its fields named as they stand in that one. */
export function withPointers (error: unknown, move: (pointer: string) => string): unknown {
  if (!(error instanceof ServerError) || !error.errors) return error
  const errors = error.errors.map(({ pointer, message }) => ({ pointer: move(pointer), message }))
  const detail = errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; ')
  return new ServerError(error.code, detail, { errors, cause: error.cause })
}

/** A `too_large` that names the limit, and how much was sent where that is known. */
export function tooManyBytes (what: string, limit: number, sent?: number) {
  return new ServerError(
    'too_large',
    sent === undefined
      ? `${what} has more bytes than the limit of ${limit}`
      : `${what} has ${sent} bytes, the limit is ${limit}`
  )
}

function isErrorCode (code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}
