/** The folder of files and batches, where there is one; their lines are asked here as a client would ask the routes. */
import fp from 'fastify-plugin'
import type { Ask } from '../batches/ask.ts'
import { openDesk, type Desk, type DeskLimits } from '../batches/desk.ts'
import { ServerError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Config } from '../config/config.ts'
import { onBehalf } from './behalf.ts'
import { bodyLimitOf } from './uploads.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Files and batches. Throws `forbidden` where they are switched off, `batches_unavailable` as the desk does. */
    desk: () => ReturnType<Desk['get']>
  }
}

export type BatchOptions = { config: Config; metrics: Metrics }

export default fp<BatchOptions>(
  async (app, { config, metrics }) => {
    const { batchFolder: path } = config
    let desk: Desk | undefined
    app.decorate('desk', () => {
      if (desk) return desk.get()
      throw new ServerError('forbidden', 'Batches are switched off on this server: LAVIT_BATCH_DIR names no folder')
    })
    if (path === undefined) return

    app.addHook('onReady', async () => {
      desk = openDesk({ path, limits: limitsOf(config), ask, log: app.log, onLine: metrics.countBulkItem })
    })
    app.addHook('preClose', async () => desk?.stop())
    app.addHook('onClose', async () => desk?.close())

    const ask: Ask = async ({ id, url, body }, asker) => {
      const asked = {
        method: 'POST' as const,
        url,
        headers: { 'content-type': 'application/json', accept: 'application/json', 'x-request-id': id },
        payload: JSON.stringify(body)
      }
      // awaited within, where it begins
      const { statusCode: status, headers, body: text } = await onBehalf.run(asker, async () => await app.inject(asked))
      const retryAfter = headers['retry-after']
      return {
        status,
        body: text,
        code: status === 200 ? undefined : codeOf(text),
        retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
        wasBegun: headers['x-queue-position'] !== undefined
      }
    }
  },
  { name: 'batches' }
)

/** Without keys all clients are one. */
function limitsOf (config: Config): DeskLimits {
  return {
    mostFileBytes: config.batchFileBytes,
    mostLines: config.batchLines,
    mostLineBytes: bodyLimitOf(config),
    mostBytes: config.batchDiskMb * 2 ** 20,
    share: config.keysFile === undefined ? 1 : config.clientShare,
    keepSeconds: config.batchKeepHours * 3600,
    inFlight: config.batchInFlight
  }
}

function codeOf (problem: string): string | undefined {
  const { code }: { code?: unknown } = JSON.parse(problem)
  return typeof code === 'string' ? code : undefined
}
