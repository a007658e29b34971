/** Feeds the metrics from requests and answers, and serves them. */
import fp from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'
import type { Registry } from '../registry/registry.ts'

export default fp<{ metrics: Metrics, registry: Registry }>(async (app, { metrics, registry }) => {
  app.addHook('onRequest', async () => metrics.requestStarted())

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.requestEnded(route, request.method, reply.statusCode, reply.elapsedTime)
    if (request.job) metrics.observeStages(route, request.job.timings)
  })

  app.get('/metrics', {
    config: { produces: [], whileDraining: true },
    schema: {
      operationId: 'getMetrics',
      tags: ['operations'],
      summary: 'Metrics for Prometheus',
      description: 'Counters, gauges and histograms of the server and of each engine, in the text format of Prometheus.',
      produces: ['text/plain'],
      response: { 200: { description: 'The metrics', content: { 'text/plain': { schema: { type: 'string' } } } } }
    }
  }, async (_request, reply) => {
    metrics.setModelStates(registry.list())
    return reply.type(metrics.contentType).send(await metrics.text())
  })
}, { name: 'measure' })
