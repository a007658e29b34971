/** Every error this server can answer: code, status, title, and when it happens. */
import createError from '@fastify/error'

/** What is wrong with one field: a JSON pointer into the request, and a sentence. */
export type FieldError = { pointer: string, message: string }

/** What an error may carry beside its code, status and detail. */
export type ErrorExtras = { errors?: FieldError[], retryAfterSeconds?: number, allow?: string }

type Entry = { status: number, title: string, when: string }

/** The table behind the problem documents, the README and the OpenAPI document. */
export const errorTable = new Map<string, Entry>()

export const InvalidRequestError = define('invalid_request', 400, 'Invalid request', 'The body is not JSON, the multipart form is broken, or the request cannot be parsed')
export const UnauthorizedError = define('unauthorized', 401, 'Key required', 'The route needs a key, and the request has none or a wrong one')
export const ForbiddenError = define('forbidden', 403, 'Not allowed', 'The key may not do this, or the route is switched off because no key is configured')
export const NotFoundError = define('not_found', 404, 'Not found', 'No route has this path')
export const ModelNotFoundError = define('model_not_found', 404, 'Model not found', 'No model has this name')
export const MethodNotAllowedError = define('method_not_allowed', 405, 'Method not allowed', 'The path exists, but not with this method; see `Allow`')
export const NotAcceptableError = define('not_acceptable', 406, 'Not acceptable', 'The route has no answer in a form that `Accept` names')
export const RequestTimeoutError = define('request_timeout', 408, 'Request timeout', 'The request did not arrive in time')
export const ImageRefExpiredError = define('image_ref_expired', 410, 'Image reference expired', 'The server no longer holds the picture behind this reference; send the picture again')
export const TooLargeError = define('too_large', 413, 'Too large', 'The body, the picture, the prompt or the requested output is over a limit')
export const UnsupportedMediaTypeError = define('unsupported_media_type', 415, 'Unsupported media type', 'The content is not a picture of an allowed format, or the body is of a type that the route does not read')
export const InvalidFieldError = define('invalid_field', 422, 'Invalid field', 'A field is unknown, missing, of the wrong type or out of range')
export const ImageUnreadableError = define('image_unreadable', 422, 'Image unreadable', 'The picture is truncated or corrupt')
export const QueueFullError = define('queue_full', 429, 'Queue full', 'The model has as much work waiting as it may have; see `Retry-After`')
export const RateLimitedError = define('rate_limited', 429, 'Rate limited', 'This client sends too many requests; see `Retry-After`')
export const HeadersTooLargeError = define('headers_too_large', 431, 'Headers too large', 'The request line and headers are over the limit')
export const RequestCancelledError = define('request_cancelled', 499, 'Request cancelled', 'The client left before the answer; seen in logs and metrics only')
export const InternalError = define('internal_error', 500, 'Internal error', 'A fault of the server; the log holds the cause under the request id')
export const ModelLoadingError = define('model_loading', 503, 'Model loading', 'The model is being loaded; see `Retry-After`')
export const ModelUnavailableError = define('model_unavailable', 503, 'Model unavailable', 'The model could not be loaded: its files, its device or the memory budget stand in the way')
export const DrainingError = define('draining', 503, 'Draining', 'The server is shutting down and takes no new work')
export const EngineRestartingError = define('engine_restarting', 503, 'Engine restarting', 'The process that runs the model ended and is started again; see `Retry-After`')
export const DeadlineExceededError = define('deadline_exceeded', 504, 'Deadline exceeded', '`deadline_ms` passed before the work was done; the work was stopped')

const classes = {
  invalid_request: InvalidRequestError,
  unauthorized: UnauthorizedError,
  forbidden: ForbiddenError,
  not_found: NotFoundError,
  model_not_found: ModelNotFoundError,
  method_not_allowed: MethodNotAllowedError,
  not_acceptable: NotAcceptableError,
  request_timeout: RequestTimeoutError,
  image_ref_expired: ImageRefExpiredError,
  too_large: TooLargeError,
  unsupported_media_type: UnsupportedMediaTypeError,
  invalid_field: InvalidFieldError,
  image_unreadable: ImageUnreadableError,
  queue_full: QueueFullError,
  rate_limited: RateLimitedError,
  headers_too_large: HeadersTooLargeError,
  request_cancelled: RequestCancelledError,
  internal_error: InternalError,
  model_loading: ModelLoadingError,
  model_unavailable: ModelUnavailableError,
  draining: DrainingError,
  engine_restarting: EngineRestartingError,
  deadline_exceeded: DeadlineExceededError
}

export type ErrorCode = keyof typeof classes

/** An error of this table. */
export type ServerError = InstanceType<typeof InternalError> & ErrorExtras

/** Whether a value is one of this table's errors. */
export function isServerError (error: unknown): error is ServerError {
  return error instanceof Error && 'code' in error && Object.hasOwn(classes, String(error.code))
}

/** Rebuilds an error that crossed the pipe as `{ code, detail }`; an unknown code is a fault of ours. */
export function errorFromCode (code: string, detail: string, retryAfterSeconds?: number) {
  const Class = Object.hasOwn(classes, code) ? classes[code as ErrorCode] : InternalError
  const error = new Class(detail)
  return retryAfterSeconds === undefined ? error : withExtras(error, { retryAfterSeconds })
}

/** An `invalid_field` for one field, by its JSON pointer. */
export function invalidField (pointer: string, message: string) {
  return withExtras(new InvalidFieldError(`${pointer.slice(1) || 'The request'} ${message}`), { errors: [{ pointer, message }] })
}

/** Hangs wrong fields, `Retry-After` seconds or an `Allow` list on an error. */
export function withExtras<E extends Error> (error: E, extras: ErrorExtras): E & ErrorExtras {
  return Object.assign(error, extras)
}

function define (code: string, status: number, title: string, when: string) {
  errorTable.set(code, { status, title, when })
  const Base = createError<[detail: string]>(code, '%s', status)
  return class extends Base {
    override readonly code = code // the base class writes codes in capitals
  }
}
