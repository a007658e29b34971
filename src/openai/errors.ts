/** A problem as OpenAI's clients look for it: under `error`, beside the problem's own fields. */
import type { Problem } from '../schemas/problem.ts'

export function errorOf ({ status, detail, code, errors }: Problem) {
  return { message: detail, type: typeOf(status), param: errors?.[0]?.pointer.slice(1) ?? null, code }
}

function typeOf (status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}
