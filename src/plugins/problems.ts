/** Turns every error into a problem document (RFC 9457) and a log line; nothing else answers errors. */
import type { Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError, errorTable } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Problem } from '../schemas/common.ts'

export default fp<{ metrics: Metrics }>(async (app, { metrics }) => {
  const routes: { method: string, pattern: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace(/\*/g, '.*')}$`)
    for (const each of [method].flat()) routes.push({ method: each, pattern })
  })

  app.setErrorHandler((error: FastifyError, request, reply) => answer(toServerError(error), error, request, reply))

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allow = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))].sort()
    if (allow.length > 0 && request.method === 'OPTIONS') return reply.code(204).header('allow', [...allow, 'OPTIONS'].join(', ')).send()
    throw allow.length > 0 && !allow.includes(request.method)
      ? new ServerError('method_not_allowed', `This path takes ${allow.join(', ')}`, { allow: [...allow, 'OPTIONS'].join(', ') })
      : new ServerError('not_found', 'There is no such route')
  })

  function answer (failure: ServerError, cause: Error, request: FastifyRequest, reply: FastifyReply) {
    const problem = problemOf(failure, request.id)
    metrics.countError(problem.code)
    if (problem.status >= 500 && failure.code === 'internal_error') request.log.error({ err: cause }, 'request failed')
    else request.log.info({ code: problem.code, detail: problem.detail.slice(0, 200) }, 'request refused')
    if (failure.allow) reply.header('allow', failure.allow)
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
    if (problem.status === 429 || problem.status === 503) reply.header('retry-after', Math.max(1, Math.ceil(failure.retryAfterSeconds ?? 1)))
    return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
  }
}, { name: 'problems' })

/** For what the framework refuses before there is a route, such as a path that is not UTF-8. */
export function answerFrameworkError (error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const problem = problemOf(toServerError(error), request.id)
  reply.code(problem.status).type('application/problem+json').header('x-request-id', request.id).send(JSON.stringify(problem))
}

/** For what Node refuses before there is a request. */
export function answerClientError (error: Error & { code?: string }, socket: Socket) {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
  const id = randomUUID()
  const problem = problemOf(socketErrors[error.code ?? '']?.() ?? new ServerError('invalid_request', 'This is not HTTP that the server understands'), id)
  const body = JSON.stringify(problem)
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body}`)
}

const socketErrors: Record<string, () => ServerError> = {
  ERR_HTTP_REQUEST_TIMEOUT: () => new ServerError('request_timeout', 'The request did not arrive in time'),
  HPE_HEADER_OVERFLOW: () => new ServerError('headers_too_large', 'The headers are over the limit')
}

const frameworkErrors: Record<number, () => ServerError> = {
  400: () => new ServerError('invalid_request', 'The request cannot be parsed'),
  403: () => new ServerError('not_found', 'There is no such route'), // a path that climbs out of the page's folder
  404: () => new ServerError('not_found', 'There is no such route'),
  406: () => new ServerError('invalid_request', 'The form is not valid multipart'),
  408: () => new ServerError('request_timeout', 'The request did not arrive in time'),
  413: () => new ServerError('too_large', 'The body is over the limit'),
  414: () => new ServerError('not_found', 'There is no such route'),
  415: () => new ServerError('unsupported_media_type', 'The route does not read a body of this type'),
  431: () => new ServerError('headers_too_large', 'The headers are over the limit')
}

/** Our own errors as they are, the framework's by their status in our words, anything else as a fault of ours. */
function toServerError (error: FastifyError): ServerError {
  if (error instanceof ServerError) return error
  if (error.code === 'ECONNRESET') return new ServerError('request_cancelled', 'The body ended early')
  const isOfFramework = /^FST_/.test(error.code ?? '') || error instanceof SyntaxError
  const known = isOfFramework ? frameworkErrors[error.statusCode ?? 500] : undefined
  return known?.() ?? new ServerError('internal_error', '')
}

function problemOf ({ code, message, errors }: ServerError, id: string): Problem {
  const { status, title } = errorTable[code]
  const detail = code === 'internal_error' ? 'The server made a mistake; its log holds the cause under the request id' : message
  return { type: `urn:lavit:problem:${code}`, title, status, detail, code, request_id: id, ...(errors && { errors }) }
}
