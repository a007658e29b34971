/** GET /metrics: what Prometheus reads. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Metrics } from '../metrics.ts'
import type { Registry } from '../registry/registry.ts'

const routes: FastifyPluginAsyncTypebox<{ metrics: Metrics; registry: Registry }> = async (
  app,
  { metrics, registry }
) => {
  app.get(
    '/metrics',
    {
      config: { produces: [], whileDraining: true, scope: 'metrics' },
      schema: {
        operationId: 'getMetrics',
        tags: ['operations'],
        summary: 'Metrics for Prometheus',
        description:
          'Counters, gauges and histograms of the server and of each engine, in the text format of Prometheus.',
        produces: ['text/plain'],
        response: { 200: { description: 'The metrics', content: { 'text/plain': { schema: { type: 'string' } } } } }
      }
    },
    async (_request, reply) => {
      metrics.setModelStates(registry.list())
      metrics.setDevices(registry.tellDevices())
      return reply.type(metrics.contentType).send(await metrics.text())
    }
  )
}

export default routes
