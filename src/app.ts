/** What the application is: every plugin and route, in order. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Config } from './config/config.ts'
import { createFetching, type Fetching } from './fetching/fetching.ts'
import type { Metrics } from './metrics.ts'
import connections, { answerClientError } from './plugins/connections.ts'
import events from './plugins/events.ts'
import { checkQuery } from './plugins/fields.ts'
import guards from './plugins/guards.ts'
import intake from './plugins/intake.ts'
import jobs, { requestId } from './plugins/jobs.ts'
import batches from './plugins/batches.ts'
import { isOnBehalf } from './plugins/behalf.ts'
import keys from './plugins/keys.ts'
import manners from './plugins/manners.ts'
import measure from './plugins/measure.ts'
import negotiation from './plugins/negotiation.ts'
import openapi from './plugins/openapi.ts'
import origins from './plugins/origins.ts'
import { tellRequest } from './plugins/log.ts'
import problems, { answerFrameworkError, bareHeaders } from './plugins/problems.ts'
import traces from './plugins/traces.ts'
import uploads, { bodyLimitOf } from './plugins/uploads.ts'
import validation from './plugins/validation.ts'
import type { Registry } from './registry/registry.ts'
import captionRoutes from './routes/caption.ts'
import deviceRoutes from './routes/devices.ts'
import detokenizeRoutes from './routes/detokenize.ts'
import estimateRoutes from './routes/estimate.ts'
import generateRoutes from './routes/generate.ts'
import healthRoutes from './routes/health.ts'
import mcpRoutes from './routes/mcp.ts'
import metricsRoutes from './routes/metrics.ts'
import modelRoutes from './routes/models.ts'
import batchRoutes from './routes/openai/batches.ts'
import chatRoutes from './routes/openai/chat.ts'
import fileRoutes from './routes/openai/files.ts'
import imageRoutes from './routes/openai/images.ts'
import listedModelRoutes from './routes/openai/models.ts'
import playgroundRoutes from './routes/playground.ts'
import tokenizeRoutes from './routes/tokenize.ts'
import vqaRoutes from './routes/vqa.ts'
import { commonSchemas } from './schemas/common.ts'
import { deviceSchemas } from './schemas/devices.ts'
import { estimateSchemas } from './schemas/estimate.ts'
import { eventSchemas } from './schemas/events.ts'
import { generateSchemas } from './schemas/generate.ts'
import { Health } from './schemas/health.ts'
import { modelSchemas } from './schemas/models.ts'
import { batchSchemas } from './schemas/openai/batches.ts'
import { chatSchemas } from './schemas/openai/chat.ts'
import { fileSchemas } from './schemas/openai/files.ts'
import { imageSchemas } from './schemas/openai/images.ts'
import { listedSchemas } from './schemas/openai/models.ts'
import { problemSchemas } from './schemas/problem.ts'
import { TokenizeRequest, TokenizeResponse } from './schemas/tokenize.ts'
import { understandingSchemas } from './schemas/understanding.ts'
import type { Tracing } from './tracing/tracing.ts'

export type AppOptions = {
  config: Config
  registry: Registry
  metrics: Metrics
  version: string
  /** The folder of the built page, where there is one. */
  playground?: string | undefined
  log?: FastifyBaseLogger
  fetching?: Fetching | undefined
  tracing?: Tracing | undefined
}

export async function buildApp ({
  config,
  registry,
  metrics,
  version,
  playground,
  log,
  fetching = createFetching(config),
  tracing
}: AppOptions) {
  const app = Fastify({
    ...(log && { loggerInstance: log.child({}, { serializers: { req: tellRequest } }) }),
    logController: new LogController({ disableRequestLogging: isOnBehalf }), // a batch has many lines
    genReqId: requestId,
    bodyLimit: bodyLimitOf(config),
    http: { requireHostHeader: false }, // asked for where it can be said as a problem
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    trustProxy: config.trustProxy,
    requestTimeout: 120_000, // for the client to send its request
    pluginTimeout: config.graceMs + 20_000, // also times the hooks that close: they wait for running work
    return503OnClosing: false, // the guards say it as a problem
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, request, reply, config.corsOrigins),
    clientErrorHandler: answerClientError
  }).withTypeProvider<TypeBoxTypeProvider>()

  if (tracing) await app.register(traces, { tracing })
  await app.register(measure, { metrics }) // first, so that it counts what the others refuse
  await app.register(batches, { config, metrics })
  await app.register(jobs, { registry, metrics, limits: config, encodingBytes: config.encodingBytes, fetching })
  await app.register(problems, { metrics }) // before routes, which are answered by its handler from then on
  await app.register(origins, config)
  await app.register(manners)
  await app.register(connections)
  await app.register(guards, { registry, graceMs: config.graceMs })
  await app.register(keys, config)
  await app.register(intake, { ...config, bodyLimit: bodyLimitOf(config) })
  await app.register(negotiation)
  await app.register(events, { keepAliveMs: config.sseKeepAliveMs })
  await app.register(validation, {
    schemas: [
      ...commonSchemas,
      ...problemSchemas,
      Health,
      TokenizeRequest,
      TokenizeResponse,
      ...understandingSchemas,
      ...generateSchemas,
      ...estimateSchemas,
      ...eventSchemas,
      ...modelSchemas,
      ...deviceSchemas,
      ...listedSchemas,
      ...chatSchemas,
      ...imageSchemas,
      ...fileSchemas,
      ...batchSchemas
    ]
  })
  await app.register(uploads, config)
  await app.register(openapi, { version, limits: config })

  if (config.metricsPort === undefined) await app.register(metricsRoutes, { metrics, registry })
  await app.register(tokenizeRoutes)
  await app.register(detokenizeRoutes)
  await app.register(captionRoutes)
  await app.register(vqaRoutes)
  await app.register(generateRoutes)
  await app.register(estimateRoutes)
  await app.register(mcpRoutes, { version, corsOrigins: config.corsOrigins })
  await app.register(modelRoutes, { registry })
  await app.register(deviceRoutes, { registry })
  await app.register(listedModelRoutes, { registry })
  await app.register(chatRoutes, { registry })
  await app.register(imageRoutes)
  await app.register(fileRoutes, config)
  await app.register(batchRoutes)
  await app.register(healthRoutes, { registry })
  await app.register(playgroundRoutes, { folder: playground })
  return app
}

const unreadBytes = 16 * 2 ** 20 // that are waited for, so that their answer arrives

/** For a second listener: the metrics alone, and no lines in the log. */
export async function buildMetricsApp ({ registry, metrics }: Pick<AppOptions, 'registry' | 'metrics'>) {
  const app = Fastify({
    genReqId: requestId,
    http: { requireHostHeader: false },
    requestTimeout: 10_000,
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError
  })
  app.addHook('onSend', async (request, reply) => {
    reply.headers(bareHeaders(request.id, reply.elapsedTime))
  })
  app.addHook('onRequest', async request => {
    if (!request.is404) checkQuery(request)
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async () => {}) // no body is read
  app.decorateRequest('bodyLimit', unreadBytes)
  await app.register(manners)
  await app.register(problems, { metrics })
  await app.register(connections)
  await app.register(metricsRoutes, { metrics, registry })
  return app
}
