/** Answers as server-sent events: what a job has so far, then exactly one `done` or `error`. */
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import type { Tell, Wire } from '../schemas/events.ts'
import { chooseType } from './negotiation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The route can stream: data of its events by name, beside `done` (the answer) and `error` (a problem), or what a
     * stream of another wire is.
     */
    events?: Record<string, TSchema> | string
  }
  interface FastifyReply {
    /**
     * Streams a job, as events by name where no other wire is given. Rejects as the job does where it ends before
     * anything was told, so that the status tells of it.
     */
    sendEvents: <Answer extends Record<string, unknown>>(
      run: (tell: Tell) => Promise<Answer>,
      wire?: Wire<Answer>
    ) => Promise<FastifyReply>
  }
}

export const eventType = 'text/event-stream'

const comment = ':\n\n'
const mostSilentMs = 60_000 // a reader that takes nothing for so long is cut off

export default fp<{ keepAliveMs: number }>(
  async (app, { keepAliveMs }) => {
    app.decorateReply(
      'sendEvents',
      async function <Answer extends Record<string, unknown>> (
        this: FastifyReply,
        run: (tell: Tell) => Promise<Answer>,
        wire: Wire<Answer> = namedEvents(this)
      ) {
        const { request } = this
        const feed = createFeed(keepAliveMs)
        run((...event) => feed.put(wire.tell(...event)))
          .then(answer => feed.end(wire.done(answer)))
          .catch(error =>
            feed.isBegun() ? feed.end(wire.failed(app.tellProblem(error, request))) : feed.refuse(error)
          )
        await feed.begun
        const { socket } = request.raw
        if (socket instanceof Socket) socket.setTimeout(Math.max(mostSilentMs, 4 * keepAliveMs))
        this.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
        return this.type(eventType).send(Readable.from(feed.messages()))
      }
    )
  },
  { name: 'events', dependencies: ['problems'] }
)

/** Each event by its name; `done` has the bytes of the whole answer. */
function namedEvents (reply: FastifyReply): Wire<Record<string, unknown>> {
  const event = (name: string, data: string) => `event: ${name}\ndata: ${data}\n\n`
  return {
    tell: (name, data) => event(name, JSON.stringify(data)),
    done: answer => event('done', String(reply.serializeInput(answer, '200'))),
    failed: problem => event('error', JSON.stringify(problem))
  }
}

/** Whether the answer is streamed: as `stream` says, else as `Accept` does. Throws `not_acceptable`. */
export function wantsEvents (
  request: FastifyRequest,
  { stream }: { stream?: boolean },
  otherwise: string[] = ['application/json']
): boolean {
  return stream === true || chooseType(request, stream === false ? otherwise : [...otherwise, eventType]) === eventType
}

/**
 * Messages between a job and its reader. They wait here while the reader is slow: as many as the job has tokens and
 * steps. It begins
 * with the first message, or with a comment when nothing is told for `keepAliveMs`.
 */
function createFeed (keepAliveMs: number) {
  const waiting: string[] = []
  let isBegun = false
  let isEnded = false
  let begin = () => {}
  let refuse: (error: Error) => void = () => {}
  let wake = () => {}
  const begun = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.push(comment)
      begin()
    }, keepAliveMs)
    begin = () => {
      clearTimeout(timer)
      isBegun = true
      resolve()
    }
    refuse = error => {
      clearTimeout(timer)
      reject(error)
    }
  })

  return { begun, isBegun: () => isBegun, put, end, refuse, messages }

  function put (message: string): void {
    if (isEnded || message === '') return
    waiting.push(message)
    begin()
    wake()
  }

  function end (message: string): void {
    put(message)
    isEnded = true
  }

  async function * messages () {
    for (;;) {
      if (waiting.length > 0) yield waiting.splice(0).join('')
      else if (isEnded) return
      else {
        await news()
        if (waiting.length === 0) yield comment
      }
    }
  }

  /** Resolves with the next message, or after the longest silence. */
  function news (): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, keepAliveMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
