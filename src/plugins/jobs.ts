/** What every request carries: its id and where its time went; and what a job carries besides: its end and its uploads. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Registry } from '../registry/registry.ts'
import type { Job, Limits } from '../tasks/job.ts'

declare module 'fastify' {
  interface FastifyContextConfig { job?: boolean }
  interface FastifyRequest { job: Job }
}

const stages = {
  image: ['decode', 'picture to pixels'],
  queue: ['queue', 'waiting'],
  encode: ['encode', 'pixels to features'],
  prefill: ['prefill', 'prompt into the language model'],
  decode: ['decode_steps', 'token by token'],
  paint: ['paint', 'visual tokens to pixels']
} as const

export default fp<{ registry: Registry, limits: Limits }>(async (app, { registry, limits }) => {
  app.decorateRequest('job', null as unknown as Job)

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    if (!request.routeOptions.config.job) return
    request.job = { registry, limits, uploads: [], signal: signalOf(reply), startedAt: performance.now(), timings: {} }
  })

  app.addHook('onSend', async (request, reply) => {
    const timings = request.job
      ? Object.entries(stages).map(([stage, [name, description]]) => `${name};desc="${description}";dur=${(request.job.timings[stage as keyof typeof stages] ?? 0).toFixed(1)}`)
      : []
    reply.header('server-timing', [...timings, `total;dur=${reply.elapsedTime.toFixed(1)}`].join(', '))
  })
}, { name: 'jobs' })

/** The client's id where it is a sane one, else a new one. */
export function requestId ({ headers: { 'x-request-id': id } }: IncomingMessage) {
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) ? id : randomUUID()
}

/**
 * Aborts when the connection closes before the answer is out. Not `request.signal`: that one follows the incoming
 * message, which also closes when its body has been read, and would stop every job at once.
 */
function signalOf ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => { if (!raw.writableFinished) controller.abort() })
  return controller.signal
}
