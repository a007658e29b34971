/** Turns every error into a problem document (RFC 9457) and a log line; nothing else answers errors. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError, errorTable, tooManyBytes } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { isOnBehalf } from './behalf.ts'
import { errorOf } from '../openai/errors.ts'
import type { Problem } from '../schemas/problem.ts'
import { tellOrigin } from './origins.ts'
import { discardRest } from './rest.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The problem document of an error, which is logged and counted. */
    tellProblem: (error: Error, request: FastifyRequest) => Problem
  }
}

export default fp<{ metrics: Metrics }>(
  async (app, { metrics }) => {
    const routes: { method: string; pattern: RegExp }[] = []
    app.addHook('onRoute', ({ method, url }) => {
      if (url === '*') return // of preflights, whatever the path
      const pattern = new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace(/\*/g, '.*')}$`)
      for (const each of [method].flat()) routes.push({ method: each, pattern })
    })

    app.setErrorHandler((error: FastifyError, request, reply) =>
      answer(toServerError(error, request), error, request, reply)
    )

    app.addHook('preParsing', async request => {
      // before the framework minds the type of its body
      if (request.is404 && request.method !== 'OPTIONS') throw refusalOf(request, methodsOf(request))
    })

    app.setNotFoundHandler((request, reply) => {
      const allow = methodsOf(request)
      if (allow.length === 0 || request.method !== 'OPTIONS') throw refusalOf(request, allow)
      return reply.code(204).header('allow', tellMethods(allow)).send()
    })

    app.decorate('tellProblem', (error, request) => tell(toServerError(error, request), error, request))

    /** Of all routes that have the path. */
    function methodsOf (request: FastifyRequest): string[] {
      const path = decodeURI(pathOf(request)).replace(/(?<=.)\/$/, '')
      const there = routes.filter(({ pattern }) => path === '*' || pattern.test(path))
      return [...new Set(there.map(({ method }) => method))].sort()
    }

    function tell (failure: ServerError, cause: Error, request: FastifyRequest): Problem {
      const problem = problemOf(failure, request.id, request.trace?.ids.trace_id)
      request.problemCode = problem.code
      if (!isOnBehalf()) metrics.countError(problem.code)
      if (problem.status >= 500 && failure.code === 'internal_error') {
        request.log.error({ err: cause }, 'request failed')
      } else {
        request.log.info({ code: problem.code, detail: problem.detail.slice(0, 200) }, 'request refused')
      }
      return problem
    }

    function answer (failure: ServerError, cause: Error, request: FastifyRequest, reply: FastifyReply) {
      const problem = tell(failure, cause, request)
      for (const [name, value] of Object.entries(failure.headers ?? {})) reply.header(name, beside(reply, name, value))
      if (!request.raw.complete) {
        discardRest(request.raw, request.bodyLimit)
        reply.removeHeader('connection') // it would be closed before the rest is read
      }
      if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
      const isForGood = failure.code === 'model_unavailable' && failure.retryAfterSeconds === undefined
      if ((problem.status === 429 || problem.status === 503) && !isForGood) {
        reply.header('retry-after', Math.max(1, Math.ceil(failure.retryAfterSeconds ?? 1)))
      }
      if (isOpenai(request) && failure.code === 'deadline_exceeded') reply.header('x-should-retry', 'false')
      return reply.code(problem.status).type('application/problem+json').send(bodyOf(problem, request))
    }
  },
  { name: 'problems' }
)

/** Where no route has the path, or none with this method. */
function refusalOf ({ method }: FastifyRequest, allow: string[]): ServerError {
  if (allow.length === 0 || allow.includes(method)) return new ServerError('not_found', 'There is no such route')
  return new ServerError('method_not_allowed', `This path takes ${allow.join(', ')}`, {
    headers: { allow: tellMethods(allow) }
  })
}

function tellMethods (allow: string[]): string {
  return [...allow, 'OPTIONS'].join(', ')
}

/** Of the request's target, which may name a host and a fragment, too. */
function pathOf ({ url }: Pick<FastifyRequest, 'url'>): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '').split(/[?#]/)[0]!
}

function isOpenai (request: { url: string; routeOptions?: { url?: string | undefined } }): boolean {
  return (request.routeOptions?.url ?? pathOf(request)).startsWith('/v1/')
}

/** The document as it is sent: to OpenAI's clients with what they read of errors. */
export function bodyOf (problem: Problem, request: { url: string; routeOptions?: { url?: string | undefined } }) {
  return JSON.stringify(isOpenai(request) ? { ...problem, error: errorOf(problem) } : problem)
}

/** What every answer has, for those that no hook sees. */
export function bareHeaders (id: string, ms = 0) {
  return { 'x-request-id': id, 'server-timing': `total;dur=${ms.toFixed(1)}`, 'cache-control': 'no-store' }
}

/** A client may be held to several policies at a time. */
function beside (reply: FastifyReply, name: string, value: string) {
  const told = name.startsWith('ratelimit') ? reply.getHeader(name) : undefined
  return told === undefined ? value : `${told}, ${value}`
}

/** For what the framework refuses before there is a route, such as a path that is not UTF-8. */
export function answerFrameworkError (
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  corsOrigins: readonly string[] = []
) {
  reply.headers(bareHeaders(request.id))
  if (tellOrigin(request, reply, corsOrigins)) return
  const problem = problemOf(toServerError(error, request), request.id)
  reply.code(problem.status).type('application/problem+json').send(bodyOf(problem, request))
}

const badRequests: Record<string, string> = {
  FST_ERR_BAD_URL: 'The path cannot be read: after each % it needs two hexadecimal digits, which together are UTF-8'
}

const frameworkErrors: Record<number, (request: FastifyRequest, error: { code?: string }) => ServerError> = {
  400: (_request, { code }) =>
    new ServerError('invalid_request', badRequests[code ?? ''] ?? 'The request cannot be parsed'),
  403: () => new ServerError('not_found', 'There is no such route'), // a path that climbs out of the page's folder
  404: () => new ServerError('not_found', 'There is no such route'),
  408: () => new ServerError('request_timeout', 'The request did not arrive in time'),
  413: request => tooManyBytes('The body', request.bodyLimit),
  414: () => new ServerError('not_found', 'There is no such route'),
  415: () => new ServerError('unsupported_media_type', 'The route does not read a body of this type'),
  431: () => new ServerError('headers_too_large', 'The headers are over the limit')
}

/** Our own errors as they are, the framework's by their status in our words, anything else as a fault of ours. */
function toServerError (error: Error & Partial<FastifyError>, request: FastifyRequest): ServerError {
  if (error instanceof ServerError) return error
  if (error.code === 'ECONNRESET') return new ServerError('request_cancelled', 'The body ended early')
  const isOfFramework = /^FST_/.test(error.code ?? '') || error instanceof SyntaxError
  const known = isOfFramework ? frameworkErrors[error.statusCode ?? 500] : undefined
  return known?.(request, error) ?? new ServerError('internal_error', '')
}

/** The document of an error. */
export function problemOf ({ code, message, errors }: ServerError, id: string, traceId?: string): Problem {
  const { status, title } = errorTable[code]
  const detail =
    code === 'internal_error' ? 'The server made a mistake; its log holds the cause under the request id' : message
  return {
    type: `urn:lavit:problem:${code}`,
    title,
    status,
    detail,
    code,
    request_id: id,
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(errors && { errors })
  }
}
