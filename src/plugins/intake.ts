/** Memory for what requests send: all bodies together stay within it, and those that would not are refused unread. */
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createShares, type Hold } from '../admission/shares.ts'
import { ServerError, tooManyBytes } from '../errors.ts'
import { boundaryOf } from './part-heads.ts'
import { onEnd } from './end.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request holds of the memory for uploads. */
    upload: Hold
  }
  interface FastifyContextConfig {
    /** The body is a form of at most so many bytes that goes to the disk as it arrives: memory holds a chunk of it. */
    streamedBytes?: number
  }
}

const chunkBytes = 262_144 // on its way from the connection to the disk
const silenceMs = 2000 // after the end of a form
const tailBytes = 1024

export type IntakeLimits = { uploadMemoryMb: number; clientShare: number; bodyLimit: number }

/** A body that says its length takes it before it is read, any other as it arrives. */
export default fp<IntakeLimits>(
  async (app, { uploadMemoryMb, clientShare, bodyLimit }) => {
    const uploads = createShares({
      most: Math.max(uploadMemoryMb * 2 ** 20, bodyLimit),
      share: clientShare,
      unit: 'content-bytes',
      words: {
        full: 'The server holds as many bytes of requests as it may',
        share: 'This client has as many bytes in its requests as one may have beside others'
      }
    })
    app.decorateRequest('upload')

    app.addHook('onRequest', async (request, reply) => {
      const { job, ip, headers } = request
      request.upload = uploads.hold(job?.client ?? ip)
      if (job) job.upload = request.upload
      onEnd(request, reply, request.upload.end)
      const length = Number(headers['content-length'] ?? 0)
      if (isStreamed(request)) request.upload.take(chunkBytes)
      else if (hasBody(request) && length > 0 && length <= bodyLimit) request.upload.take(length) // more is never read
    })

    app.addHook('preParsing', async (request, _reply, payload) => {
      const isForm = /^\s*multipart\//i.test(request.headers['content-type'] ?? '') // read elsewhere
      return isUnmeasured(request) && !isForm ? Readable.from(measured(payload, request.upload)) : payload
    })
  },
  { name: 'intake', dependencies: ['keys'] }
)

/** Leaves the source open when it throws: the answer goes out over the same socket. */
async function * measured (source: Readable, upload: Hold) {
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    upload.take(chunk.length)
    yield chunk
  }
}

function hasBody ({ method }: FastifyRequest) {
  return method !== 'GET' && method !== 'HEAD'
}

function isStreamed ({ routeOptions }: FastifyRequest) {
  return routeOptions.config.streamedBytes !== undefined
}

/** Whether the length of the body is not known before its end. */
function isUnmeasured (request: FastifyRequest) {
  return hasBody(request) && request.headers['content-length'] === undefined
}

/**
 * Counts all bytes of a form as they arrive, beside whoever reads it. `fault` is why it may not go on, and `failed`
 * rejects with that. The body flows from here on, so whoever reads it begins in the same turn.
 */
export function watchBody (request: FastifyRequest, mostBytes: number) {
  const watch: { fault?: unknown; failed: Promise<never> } = {
    failed: new Promise((_resolve, reject) => {
      let bytes = 0
      let tail = Buffer.alloc(0)
      const fail = (error: unknown) => {
        watch.fault = error
        reject(error)
      }
      const silence = setTimeout(() => {
        if (watch.fault !== undefined || request.raw.complete) return
        if (hasEnded(request, tail)) fail(endedEarly(request, bytes))
      }, silenceMs)
      request.raw.on('close', () => clearTimeout(silence))
      request.raw.on('data', (chunk: Buffer) => {
        if (watch.fault !== undefined) return
        silence.refresh()
        tail = Buffer.concat([tail, chunk.subarray(-tailBytes)]).subarray(-tailBytes)
        try {
          bytes += chunk.length
          if (bytes > mostBytes) throw tooManyBytes('The body', mostBytes)
          if (isUnmeasured(request) && !isStreamed(request)) request.upload.take(chunk.length)
        } catch (error) {
          fail(error)
        }
      })
    })
  }
  return watch
}

/** Whether a form's last boundary is there, after which nothing counts. */
function hasEnded ({ headers }: FastifyRequest, tail: Buffer): boolean {
  const boundary = boundaryOf(headers['content-type'] ?? '')
  return boundary !== undefined && tail.includes(`--${boundary}--`)
}

function endedEarly ({ headers }: FastifyRequest, bytes: number) {
  const length = headers['content-length']
  const left = Number(length) - bytes
  const missing = length === undefined ? 'the end of its chunks' : `${left} bytes of its Content-Length`
  return new ServerError('invalid_request', `The form has ended, but the body has not: ${missing} did not come`)
}
