/** Feeds the metrics from requests and answers. */
import fp from 'fastify-plugin'
import { errorTable } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { isOnBehalf } from './behalf.ts'
import { onEnd } from './end.ts'

export default fp<{ metrics: Metrics }>(async (app, { metrics }) => {
  app.addHook('onRequest', async (request, reply) => {
    if (isOnBehalf()) return // counted as what it is, a line of a batch
    metrics.requestStarted()
    onEnd(request, reply, isAnswered => {
      const route = request.routeOptions.url ?? 'unknown'
      const status = isAnswered ? reply.statusCode : errorTable.request_cancelled.status
      metrics.requestEnded(route, request.method, status, reply.elapsedTime)
      if (request.job) metrics.observeStages(route, request.job.timings)
    })
  })
}, { name: 'measure' })
