/** How a body is coded on its way: as it is, in chunks where its length is not told. */
import type { FastifyRequest } from 'fastify'
import { ServerError } from '../errors.ts'

/** Bodies come as they are: pictures are compressed in themselves. Those of GET and HEAD are not read at all. */
export function checkCodings ({ method, headers }: FastifyRequest): void {
  const { 'transfer-encoding': transfer, 'content-encoding': content = '' } = headers
  if (transfer !== undefined && !/^\s*chunked\s*$/i.test(transfer)) {
    throw new ServerError('invalid_request', 'Transfer-Encoding must be chunked, and nothing else')
  }
  if (method === 'GET' || method === 'HEAD') return
  const codings = content.split(',').map(coding => coding.trim().toLowerCase())
  const other = codings.find(coding => coding !== '' && coding !== 'identity')
  if (other === undefined) return
  throw new ServerError(
    'unsupported_media_type',
    `The body is encoded as ${JSON.stringify(other.slice(0, 100))}; send it as it is, without Content-Encoding`,
    { headers: { 'accept-encoding': 'identity' } }
  )
}
