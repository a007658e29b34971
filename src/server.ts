/** The process: reads the configuration, opens the registry, builds the app, listens, and closes with grace. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { readConfig } from './config.ts'
import { createMetrics } from './metrics.ts'
import { createRegistry } from './registry/registry.ts'

const root = fileURLToPath(new URL('..', import.meta.url)) // of `src` and of `dist` alike
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const config = readConfig(process.env, root)
const log = pino({ level: config.logLevel })
const metrics = createMetrics()
metrics.watchProcess()

const registry = createRegistry({
  ...config,
  threads: config.threads || availableParallelism(),
  log,
  onCounts: metrics.addEngineCounts
})
const app = await buildApp({ config, registry, metrics, version, log })

// Running work has the grace time to finish; what still hangs after that is cut off.
closeWithGrace({ delay: config.graceMs + 5000, logger: log }, async ({ err, signal }) => {
  if (err) log.fatal({ err }, 'closing after a fault')
  else log.info({ signal }, 'closing')
  setTimeout(() => app.server.closeAllConnections(), config.graceMs + 2000).unref()
  await app.close()
})

registry.load(config.defaultModel).catch(err => log.error({ err }, 'the default model is not available'))
await app.listen({ host: config.host, port: config.port })
