/** What any call may throw, but for the reason of the caller's own signal and the `TimeoutError` of `timeoutMs`. */
import type { ErrorCode, Problem } from './schema.ts'

/** Codes of the server, those of newer servers, and where no server spoke: those of this client. */
export type LavitErrorCode = ErrorCode | ClientCode | (string & {})
type ClientCode =
  | 'connection_failed' | 'timed_out' | 'stream_broken' | 'unexpected_answer' | 'picture_unreadable'
  | 'request_unsendable'

const silences: unknown[] = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']

export class LavitError extends Error {
  override readonly name = 'LavitError'
  /** Status of the answer, or of the problem within a stream; 0 where there was no answer. */
  readonly status: number
  readonly code: LavitErrorCode
  /** The id under which the server's log tells of the request. */
  readonly requestId: string | undefined
  /** Each wrong field: a JSON pointer, and what is wrong with it. */
  readonly errors: { pointer: string; message: string }[]
  /** Seconds after which the server holds another try for worth while. */
  readonly retryAfter: number | undefined
  /** The document itself, where one came. */
  readonly problem: Problem | undefined

  constructor (
    code: LavitErrorCode,
    message: string,
    told: Partial<Pick<LavitError, 'problem' | 'status' | 'requestId' | 'retryAfter' | 'cause'>> = {}
  ) {
    super(message, told.cause === undefined ? {} : { cause: told.cause })
    this.code = code
    this.problem = told.problem
    this.status = told.status ?? 0
    this.requestId = told.requestId
    this.errors = told.problem?.errors ?? []
    this.retryAfter = told.retryAfter
  }
}

type Told = Pick<LavitError, 'status'> & Partial<Pick<LavitError, 'requestId' | 'retryAfter'>>

/** The error of an answer that is none of success. */
export async function errorOf (response: Response): Promise<LavitError> {
  const text = await response.text()
  const problem = parse(text)
  return problem ? errorOfProblem(problem, toldBeside(response)) : unexpected(response, text)
}

/** The error where Node's `fetch` gave up: it waits five minutes for a head, and for each piece of a body. */
export function errorOfSilence (cause: unknown): LavitError | undefined {
  const inner = cause instanceof Error ? cause.cause : undefined
  if (!(inner instanceof Error) || !('code' in inner) || !silences.includes(inner.code)) return
  return new LavitError('timed_out', 'the server was silent for too long', { cause })
}

/** The error of an answer that no such server gives: of a proxy, or of another program at this address. */
export function unexpected (response: Response, text: string, cause?: unknown): LavitError {
  const message = `the answer is ${kindOf(response)}: ${text.slice(0, 200)}`
  return new LavitError('unexpected_answer', message, { ...toldBeside(response), cause })
}

/** The error of a request that JSON or an address cannot hold. */
export function unsendable (reason: string, cause?: unknown): LavitError {
  return new LavitError('request_unsendable', `the request cannot be sent: ${reason}`, { cause })
}

/** What the head of an answer tells, whatever its body. */
function toldBeside (response: Response): Told {
  const requestId = response.headers.get('x-request-id') ?? undefined
  return { status: response.status, requestId, retryAfter: retryAfterOf(response) }
}

/** Its status and where a redirect points; browsers tell neither of it. */
function kindOf ({ type, status, headers }: Response): string {
  if (type === 'opaqueredirect') return 'a redirect, which is not followed'
  const location = headers.get('location')
  return location === null ? String(status) : `${status} to ${location.slice(0, 200)}`
}

/** The error of a problem. What one of a proxy leaves out is that of its answer. */
export function errorOfProblem (problem: Problem, told: Told = { status: 0 }): LavitError {
  const { code, detail, status = told.status, request_id: requestId = told.requestId } = problem
  return new LavitError(code, detail, { ...told, problem, status, requestId })
}

function parse (text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isProblem(value) ? value : undefined
  } catch {}
}

export function isProblem (value: unknown): value is Problem {
  return (
    typeof value === 'object' && value !== null &&
    'code' in value && typeof value.code === 'string' && 'detail' in value && typeof value.detail === 'string'
  )
}

/** Of a number of seconds, or of a date, which proxies write; what is neither counts as none. */
function retryAfterOf ({ headers }: Response): number | undefined {
  const header = headers.get('retry-after')
  if (header === null) return
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header)
  const at = /[a-z]{3}/i.test(header) ? Date.parse(header) : NaN // which takes `-1` for a date, too
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
