/** An error as it crosses the pipe. */
import { ServerError } from '../errors.ts'

/** A typed error crosses as it is, anything else as a fault of ours. */
export function codeOf (error: unknown): { code: string; detail: string; retryAfterSeconds?: number } {
  if (!(error instanceof ServerError)) return { code: 'internal_error', detail: causesOf(error) }
  const { code, message: detail, retryAfterSeconds } = error
  return { code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** The messages of an error and of what caused it. */
export function causesOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causesOf(error.cause)}`
}
