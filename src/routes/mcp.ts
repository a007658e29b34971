/** POST /mcp: the jobs as tools of the Model Context Protocol, over streamable HTTP without sessions. */
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { ServerError } from '../errors.ts'
import { createCalls, sessionFor, type Caller, type Calls } from '../mcp/calls.ts'
import { refusalOf } from '../mcp/messages.ts'
import { answerMcp, type Call, type CallToolResult } from '../mcp/server.ts'
import { requests } from '../mcp/tools.ts'
import { deadlineError, deadlineOf } from '../plugins/jobs.ts'
import { caption } from '../tasks/caption.ts'
import { generate } from '../tasks/generate.ts'
import type { Job } from '../tasks/job.ts'
import { tokenize } from '../tasks/tokenize.ts'
import { answerQuestion } from '../tasks/vqa.ts'
import { writePictures } from './pictures.ts'

const local = ['localhost', '127.0.0.1', '[::1]']

const routes: FastifyPluginAsyncTypebox<{ version: string; corsOrigins: readonly string[] }> = async (
  app,
  { version, corsOrigins }
) => {
  const calls = createCalls()
  app.post(
    '/mcp',
    {
      config: { job: true, produces: [] },
      onRequest: async request => checkOrigin(request, corsOrigins)
    },
    async (request, reply) => {
      const headers = Object.entries(request.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((each): [string, string] => [name, each])
      )
      const hush = new AbortController()
      const exchange = {
        version,
        run: (call: Call) => run(request, call, { elapsedMs: reply.elapsedTime, calls, hush: () => hush.abort() }),
        tellProblem: (error: Error) => app.tellProblem(error, request)
      }
      const refusal = refusalOf(request.body)
      if (refusal) return reply.code(refusal.status).send(refusal.message)
      calls.hear(callerOf(request), request.body)
      const signal = AbortSignal.any([request.job.signal, hush.signal])
      const asked = new Request('http://localhost/mcp', { method: 'POST', headers, signal })
      const response = await answerMcp(exchange, asked, request.body)
      response.headers.delete('connection') // which is the client's and the server's to keep or close
      reply.code(response.status).headers({ ...Object.fromEntries(response.headers), 'cache-control': 'no-store' })
      const session = sessionFor(request.body)
      if (session && response.ok) reply.header('mcp-session-id', session)
      const isStream = response.headers.get('content-type') === 'text/event-stream'
      if (isStream && response.body) return reply.send(Readable.from(response.body))
      const bytes = Buffer.from(await response.arrayBuffer())
      return reply.send(bytes.length > 0 ? bytes : undefined) // nothing has no type
    }
  )
}

/**
 * Browsers name the page that asks. Those of the configured origins may, and those of this very server on a loopback
 * address; of a name that merely leads here (DNS rebinding) none may.
 */
function checkOrigin ({ headers: { origin, host } }: FastifyRequest, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url !== undefined && url.host === host && local.includes(url.hostname)) return
  throw new ServerError('forbidden', 'Pages of this origin may not call the server; see LAVIT_CORS_ORIGINS')
}

function callerOf ({ job, headers }: FastifyRequest): Caller {
  return { client: job.client, session: headers['mcp-session-id']?.toString() }
}

/** `hush` ends the exchange without a response, as the protocol asks for where a call is cancelled. */
type Surroundings = { elapsedMs: number; calls: Calls; hush: () => void }

/** Runs a tool within the request's job, until the client or its deadline ends it. */
async function run (
  request: FastifyRequest,
  call: Call,
  { elapsedMs, calls, hush }: Surroundings
): Promise<CallToolResult> {
  const end = new AbortController()
  const leave = () => end.abort(new ServerError('request_cancelled', 'The client cancelled the call'))
  call.signal.addEventListener('abort', leave, { once: true })
  const endCall = calls.begin(callerOf(request), call.id, () => {
    leave()
    if (!Array.isArray(request.body)) hush() // what else was asked has its response
  })
  const deadlineMs = deadlineOf(call.arguments)
  const timer = deadlineMs && setTimeout(() => end.abort(deadlineError()), Math.max(0, deadlineMs - elapsedMs))
  const signal = AbortSignal.any([request.job.signal, end.signal])
  end.signal.addEventListener('abort', () => request.countCancelled(end.signal.reason))
  try {
    return await answer(request, { ...request.job, signal, fileBytes: [] }, call)
  } finally {
    clearTimeout(timer)
    endCall()
    call.signal.removeEventListener('abort', leave)
  }
}

async function answer (request: FastifyRequest, job: Job, call: Call): Promise<CallToolResult> {
  const { arguments: asked, tell } = call
  switch (call.name) {
    case 'tokenize': {
      check(request, requests.tokenize, asked)
      const told = await tokenize(job, asked)
      return { structuredContent: told, content: [{ type: 'text', text: JSON.stringify(told) }] }
    }
    case 'caption': {
      check(request, requests.caption, asked)
      const told = await caption(job, asked, tell)
      return { structuredContent: told, content: told.captions.map(({ text }) => ({ type: 'text', text })) }
    }
    case 'ask': {
      check(request, requests.ask, asked)
      const told = await answerQuestion(job, asked, tell)
      return { structuredContent: told, content: told.answers.map(({ text }) => ({ type: 'text', text })) }
    }
    case 'paint': {
      check(request, requests.paint, asked)
      const { images, ...told } = await writePictures(await generate(job, asked, tell), asked)
      return {
        structuredContent: { ...told, images: images.map(({ data: _, ...image }) => image) },
        content: images.map(({ data, media_type: mimeType }) => ({ type: 'image', data, mimeType }))
      }
    }
  }
}

/** Holds the arguments against the job's schema. Throws `invalid_field`. */
function check<T extends TSchema> (request: FastifyRequest, schema: T, sent: unknown): asserts sent is Static<T> {
  const outcome: unknown = request.compileValidationSchema(schema)(sent)
  if (typeof outcome === 'object' && outcome !== null && 'error' in outcome) throw outcome.error
}

export default routes
