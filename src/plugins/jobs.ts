/**
 * What every request carries: its id and where its time went; and what a job carries besides: its end and its uploads.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import { ServerError } from '../errors.ts'
import type { Fetching } from '../fetching/fetching.ts'
import type { Metrics } from '../metrics.ts'
import type { Registry } from '../registry/registry.ts'
import { createEncodings } from '../tasks/encodings.ts'
import { createExperiences } from '../tasks/experience.ts'
import type { Job, Limits } from '../tasks/job.ts'
import { onBehalf } from './behalf.ts'
import { onEnd } from './end.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    job?: boolean
  }
  interface FastifyRequest {
    job: Job
    /** Aborts the job's signal. */
    endJob: (reason: ServerError) => void
    /** Counts a job that ends early, once. */
    countCancelled: (reason: ServerError) => void
  }
  interface FastifyInstance {
    /** Ends every job that runs. */
    endJobs: (reason: ServerError) => void
  }
}

const longestTimerMs = 2 ** 31 - 1

const stages = [
  ['fetch', 'fetch', 'pictures by URL'],
  ['image', 'decode', 'picture to pixels'],
  ['begin', 'begin', 'from arrival to the first unit of work'],
  ['start', 'start', 'from the engine being given it to the first unit of work'],
  ['queue', 'queue', 'waiting'],
  ['encode', 'encode', 'pixels to features'],
  ['prefill', 'prefill', 'prompt into the language model'],
  ['decode', 'decode_steps', 'token by token'],
  ['paint', 'paint', 'visual tokens to pixels']
] as const

export type JobOptions = {
  registry: Registry
  metrics: Metrics
  limits: Limits
  encodingBytes: number
  fetching: Fetching | undefined
}

export default fp<JobOptions>(
  async (app, { registry, metrics, limits, encodingBytes, fetching }) => {
    const encodings = createEncodings({ mostBytes: encodingBytes })
    const experiences = createExperiences()
    const running = new Set<AbortController>()
    app.decorate('endJobs', reason => {
      for (const end of running) end.abort(reason)
    })
    app.decorateRequest('job')
    app.decorateRequest('endJob', () => {})
    app.decorateRequest('countCancelled', () => {})

    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id)
      if (!request.routeOptions.config.job) return
      const end = new AbortController()
      const asker = onBehalf.getStore()
      running.add(end)
      request.endJob = reason => end.abort(reason)
      let isCounted = false
      request.countCancelled = ({ code }) => {
        const isLine = asker !== undefined // counted as what it is, a line of a batch
        if (!isCounted && !isLine) metrics.countCancelled(request.job.progress.stage, code)
        isCounted = true
      }
      end.signal.addEventListener('abort', () => request.countCancelled(end.signal.reason))
      request.job = {
        owner: '',
        client: asker?.client ?? request.ip,
        registry,
        limits,
        encodings,
        experiences,
        fetching,
        uploads: [],
        isBulk: asker !== undefined,
        signal: end.signal,
        timings: {},
        arrivedAt: performance.now(),
        progress: { stage: 'upload' },
        measures: metrics,
        story: { pictures: [], runs: [] },
        fileBytes: []
      }
      onEnd(request, reply, isAnswered => {
        running.delete(end)
        if (!isAnswered) end.abort(new ServerError('request_cancelled', 'The client left'))
      })
    })

    // The deadline is known when the body has been read, and counts from its arrival.
    app.addHook('preHandler', async (request, reply) => {
      const deadlineMs = request.job && deadlineOf(request.body)
      if (deadlineMs === undefined) return
      const expire = () => request.endJob(deadlineError())
      const leftMs = deadlineMs - reply.elapsedTime
      if (leftMs <= 0) return expire()
      const timer = setTimeout(expire, Math.min(leftMs, longestTimerMs))
      onEnd(request, reply, () => clearTimeout(timer))
    })

    app.addHook('onSend', async (request, reply) => {
      const { outlook, onAnswered } = request.job ?? {}
      if (outlook && reply.statusCode !== 429) {
        reply.header('x-queue-position', outlook.ahead)
        reply.header('x-expected-start-ms', Number(outlook.startMs.toFixed(1)))
      }
      if (reply.statusCode === 200) onAnswered?.(reply.elapsedTime)
      const { timings: spent } = request.job ?? {}
      const timings = stages.flatMap(([stage, name, description]) =>
        spent === undefined || (stage === 'fetch' && spent.fetch === undefined)
          ? []
          : [`${name};desc="${description}";dur=${(spent[stage] ?? 0).toFixed(1)}`]
      )
      reply.header('server-timing', [...timings, `total;dur=${reply.elapsedTime.toFixed(1)}`].join(', '))
    })
  },
  { name: 'jobs' }
)

export function deadlineError () {
  return new ServerError('deadline_exceeded', 'The deadline passed before the work was done')
}

export function deadlineOf (body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null || !('deadline_ms' in body)) return
  return typeof body.deadline_ms === 'number' ? body.deadline_ms : undefined
}

/** The client's id where it is a sane one, else a new one. */
export function requestId ({ headers: { 'x-request-id': id } }: IncomingMessage) {
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) ? id : randomUUID()
}
