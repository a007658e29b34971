/**
 * What Node would answer by itself, without a body: broken HTTP, `Expect`, CONNECT, a missing `Host`. The body that a
 * client holds back is asked for once the head is found to be in order.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { ServerError } from '../errors.ts'
import { requestId } from './jobs.ts'
import { bareHeaders, bodyOf, problemOf } from './problems.ts'

const mostHeaders = 500
const silentMs = 1000 // of a client that has connected, once the server takes no more
const lookMs = 100
const awaiting = new WeakMap<IncomingMessage, number>() // 100, and the bytes that had come by then
const unanswered = new WeakMap<Duplex, Set<ServerResponse>>()

export default fp(
  async app => {
    app.server.maxHeadersCount = mostHeaders // Node leaves out what comes after them

    app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const open = unanswered.get(socket) ?? new Set()
      unanswered.set(socket, open.add(response))
      response.on('close', () => open.delete(response))
    })

    const endSilent = watchSilent(app.server)
    app.addHook('preClose', async () => {
      endSilent()
    })

    app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      awaiting.set(request, request.socket.bytesRead)
      app.server.emit('request', request, response)
    })

    app.addHook('preParsing', async ({ raw, is404 }, reply) => {
      if (!is404 && awaiting.delete(raw)) reply.raw.writeContinue()
    })

    app.addHook('onSend', async ({ raw }, reply) => {
      const bytes = awaiting.get(raw)
      if (bytes === undefined || bytes !== raw.socket.bytesRead) return
      reply.header('connection', 'close') // the body need not come
    })

    app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const { status, headers, body } = answerOf(
        new ServerError('expectation_failed', 'The server knows no expectation but 100-continue'),
        request
      )
      response.writeHead(status, headers).end(body)
    })

    app.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      send(
        socket,
        new ServerError('method_not_allowed', 'The server is no proxy: it takes no CONNECT', {
          headers: { allow: 'GET, HEAD, OPTIONS, POST' }
        }),
        request
      )
    })

    app.addHook('onRequest', async ({ raw: { httpVersion, rawHeaders } }) => {
      const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length
      if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
        throw new ServerError('invalid_request', `HTTP/1.1 asks for one Host header, the request has ${hosts}`)
      }
      if (rawHeaders.length >= 2 * mostHeaders) {
        throw new ServerError('headers_too_large', `The request has more headers than the limit of ${mostHeaders - 1}`)
      }
    })
  },
  { name: 'connections' }
)

/** Node's server closes only when those have gone, too, whose request never began, or whose head is half there. */
function watchSilent (server: Server) {
  const connected = new Set<Duplex>()
  server.on('connection', (socket: Duplex) => {
    connected.add(socket)
    socket.on('close', () => connected.delete(socket))
  })
  const isSilent = (socket: Duplex) => (unanswered.get(socket)?.size ?? 0) === 0

  return async function endSilent () {
    while (server.listening) await pause(lookMs, undefined, { ref: false })
    await pause(silentMs, undefined, { ref: false })
    for (const socket of connected) if (isSilent(socket)) socket.destroy()
  }
}

/** For what Node refuses before there is a request; whole requests before it on the connection have their answers. */
export async function answerClientError (error: Error & { code?: string }, socket: Duplex) {
  if (error.code === 'ECONNRESET') return socket.destroy()
  const before = [...(unanswered.get(socket) ?? [])].filter(({ req }) => req.complete)
  await Promise.all(before.map(response => once(response, 'close')))
  if (!socket.writable) return socket.destroy()
  send(
    socket,
    socketErrors[error.code ?? '']?.() ??
      new ServerError('invalid_request', 'This is not HTTP that the server understands')
  )
}

function invalidRequest (detail: string) {
  return () => new ServerError('invalid_request', detail)
}

const socketErrors: Record<string, () => ServerError> = {
  ERR_HTTP_REQUEST_TIMEOUT: () => new ServerError('request_timeout', 'The request did not arrive in time'),
  HPE_HEADER_OVERFLOW: () =>
    new ServerError('headers_too_large', 'The request line and headers have more bytes than the limit of 16384'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => new ServerError('too_large', 'The extensions of the chunks are over the limit'),
  HPE_PAUSED_H2_UPGRADE: invalidRequest('The server speaks HTTP/1.1, not HTTP/2'),
  HPE_INVALID_METHOD: invalidRequest('The request begins with no method of HTTP'),
  HPE_INVALID_URL: invalidRequest('The path of the request has a character that it may not have'),
  HPE_INVALID_VERSION: invalidRequest('The server speaks HTTP/1.1 and 1.0'),
  HPE_INVALID_HEADER_TOKEN: invalidRequest('A header has a character that it may not have'),
  HPE_INVALID_CONTENT_LENGTH: invalidRequest('Content-Length is no number of bytes'),
  HPE_UNEXPECTED_CONTENT_LENGTH: invalidRequest('Content-Length is given twice, or beside Transfer-Encoding'),
  HPE_INVALID_TRANSFER_ENCODING: invalidRequest('Transfer-Encoding must be chunked, and nothing else'),
  HPE_INVALID_CHUNK_SIZE: invalidRequest('A chunk of the body has no size that can be read'),
  HPE_INVALID_EOF_STATE: invalidRequest('The request ends too early: it may have been cut off')
}

function send (socket: Duplex, failure: ServerError, request?: IncomingMessage) {
  const { status, title, headers, body } = answerOf(failure, request)
  const lines = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines}\r\n${body}`)
}

/** Without a request where none could be read. */
function answerOf (failure: ServerError, request?: IncomingMessage) {
  const id = request ? requestId(request) : randomUUID()
  const problem = problemOf(failure, id)
  const body = bodyOf(problem, { url: request?.url ?? '' })
  const headers = {
    ...failure.headers,
    ...bareHeaders(id),
    date: new Date().toUTCString(),
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close'
  }
  return { status: problem.status, title: problem.title, headers, body }
}
