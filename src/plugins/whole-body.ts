/** A body as one buffer. */
import { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { release } from '../codecs/release.ts'
import { ServerError, tooManyBytes } from '../errors.ts'

/** Throws `too_large`, and `invalid_request` for another length than was said; the source stays open then. */
export async function readWhole (
  { headers, raw }: FastifyRequest,
  source: Readable,
  mostBytes: number
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooManyBytes('The body', mostBytes)
    chunks.push(chunk)
  }
  if (headers['content-length'] !== undefined && Number(headers['content-length']) !== bytes) {
    throw new ServerError('invalid_request', 'The body has another length than Content-Length says')
  }
  const whole = Buffer.concat(chunks, bytes)
  if (raw instanceof IncomingMessage) chunks.forEach(release) // what comes otherwise belongs to who sent it
  return whole
}
