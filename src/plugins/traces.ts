/** A trace of every request but those for health and metrics; its ids are in the log and in problem documents. */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { errorTable } from '../errors.ts'
import { spansOf } from '../tracing/spans.ts'
import type { RequestTrace, Tracing } from '../tracing/tracing.ts'
import { onEnd } from './end.ts'
import { tellRequest } from './log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where traces are kept. */
    trace?: RequestTrace | undefined
    /** The code of the problem that the request ended with. */
    problemCode?: string
  }
}

const untraced = /^\/(health\/|metrics\b)/

export default fp<{ tracing: Tracing }>(
  async (app, { tracing }) => {
    const traces = new WeakMap<IncomingMessage, RequestTrace>()

    app.setChildLoggerFactory((log, bindings, options, raw) => {
      const { url = '', headers } = raw
      if (untraced.test(url)) return log.child(bindings, options)
      const trace = tracing.begin(headers)
      if ('socket' in raw) traces.set(raw, trace)
      return log.child({ ...bindings, ...trace.ids }, options)
    })

    app.addHook('onRequest', async (request, reply) => {
      const trace = traces.get(request.raw)
      if (trace === undefined) return
      request.trace = trace
      onEnd(request, reply, isAnswered => trace.end(spanOf(request, reply, { from: trace.from, isAnswered })))
    })
  },
  { name: 'traces' }
)

/** Nothing of what the request asks or gets. */
function spanOf (
  request: FastifyRequest,
  reply: FastifyReply,
  { from, isAnswered }: { from: number; isAnswered: boolean }
) {
  const { routeOptions: { url: route }, method, protocol, job, id } = request
  const { url: path = '' } = tellRequest(request)
  const status = isAnswered ? reply.statusCode : errorTable.request_cancelled.status
  const code = isAnswered ? request.problemCode : 'request_cancelled'
  const to = performance.now()
  return {
    name: route === undefined ? method : `${method} ${route}`,
    to,
    attributes: {
      'http.request.method': method,
      ...(route !== undefined && { 'http.route': route }),
      'url.path': path,
      'url.scheme': protocol,
      'http.response.status_code': status,
      'lavit.request_id': id,
      ...(code !== undefined && { 'lavit.problem': code })
    },
    ...(status >= 500 && { errorType: code ?? String(status) }),
    parts: job ? spansOf(job.story, { from, to, isChat: route === '/v1/chat/completions', errorType: code }) : []
  }
}
