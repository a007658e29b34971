/** The process: reads the configuration, opens the registry, builds the app, listens, and closes with grace. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { buildApp, buildMetricsApp } from './app.ts'
import { warmDecoder } from './codecs/image.ts'
import { readConfig } from './config/config.ts'
import { findUnknownVariables, StartError } from './config/variables.ts'
import { createMetrics } from './metrics.ts'
import { createRegistry } from './registry/registry.ts'
import { checkStart, explainListenError, explainLoadError, tellTogether } from './start-errors.ts'
import { openTracing } from './tracing/tracing.ts'

const root = fileURLToPath(new URL('..', import.meta.url)) // of `src` and of `dist` alike
const { version } = Value.Parse(
  Type.Object({ version: Type.String() }),
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
)

// Bodies on their way count as memory of V8, which for a few photographs would mark all of its own again and again. It
// may hold two and a half times what lives before it does; with more, V8's own bound of 64 MB of buffers has it marked
// in one go.
setFlagsFromString('--heap-growing-percent=150')
await start().catch(end)

async function start () {
  const config = readConfig(process.env, root)
  const log = pino({ level: config.logLevel })
  for (const warning of findUnknownVariables(process.env)) log.warn(warning)
  checkStart(config)

  const metrics = createMetrics()
  metrics.watchProcess()
  const registry = createRegistry({
    ...config,
    log,
    onCounts: metrics.addEngineCounts,
    onRestart: metrics.countRestart,
    onBytes: metrics.countPipeBytes
  })
  const tracing = config.isTraced ? await openTracing(version, log) : undefined
  const app = await buildApp({
    config,
    registry,
    metrics,
    version,
    playground: join(root, 'dist/playground'),
    log,
    tracing
  })

  const metricsApp = config.metricsPort === undefined ? undefined : await buildMetricsApp({ registry, metrics })

  // Running work has the grace time to finish; what still hangs after that is cut off, then traces are sent.
  const grace = closeWithGrace(
    { delay: config.graceMs + 8000, logger: log, skip: ['SIGINT', 'SIGTERM'] },
    async ({ err }) => {
      if (err) log.fatal({ err }, 'closing after a fault')
      setTimeout(() => app.server.closeAllConnections(), config.graceMs + 2000).unref()
      await app.close()
      await metricsApp?.close()
      await tracing?.close()
    }
  )
  onStop(signal => {
    log.info({ signal }, 'closing')
    grace.close()
  })

  warmDecoder()
  const { host, port, metricsPort } = config
  const [, metricsAddress] = await Promise.allSettled([
    app.listen({ host, port }).catch(error => {
      throw explainListenError(error, config)
    }),
    metricsApp?.listen({ host, port: metricsPort ?? 0 }).catch(error => {
      throw explainListenError(error, { host, port: metricsPort ?? 0 }, 'LAVIT_METRICS_PORT')
    })
  ]).then(listened => {
    tellTogether(listened.flatMap(each => (each.status === 'rejected' ? [each.reason] : [])))
    return listened.map(each => (each.status === 'fulfilled' ? each.value : undefined))
  })
  if (metricsAddress !== undefined) log.info(`Metrics at ${metricsAddress}/metrics`)
  registry.load(config.defaultModel).catch(async error => {
    const reason = explainLoadError(error, config)
    if (!reason) return log.warn({ err: error }, 'the default model is not ready yet')
    await app.close()
    end(reason)
  })
}

/** The first signal asks to close, a second one ends at once. */
function onStop (close: (signal: string) => void) {
  // npm passes on what a terminal or a service manager sends to this process too: one press, two signals
  const echoMs = process.env.npm_lifecycle_event === undefined ? 0 : 1000
  let closingSince: number | undefined
  const receive = (signal: string) => {
    if (closingSince === undefined) {
      closingSince = performance.now()
      close(signal)
    } else if (performance.now() - closingSince >= echoMs) process.exit(1)
  }
  process.on('SIGTERM', receive)
  process.on('SIGINT', receive)
}

/** Ends the process: with one line where the cause is known, else with the stack of a fault. */
function end (error: unknown): never {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(error.exitCode)
}
