/** The rest of a body that nobody wants any more: its request has been refused. */
import type { IncomingMessage } from 'node:http'

const patienceMs = 5000

/**
 * The rest flows into nothing, within so many bytes: a connection that is closed while the client still sends is
 * reset, and the answer is lost with it. Who sends more is cut off, as is who is silent for the time of waiting; who
 * has said a length beyond the bytes has that time in all.
 */
export function discardRest (
  request: Pick<IncomingMessage, 'headers' | 'unpipe' | 'on' | 'resume' | 'destroy'>,
  mostBytes: number,
  waitMs = patienceMs
): void {
  const isHopeless = Number(request.headers['content-length']) > mostBytes
  const timer = setTimeout(() => request.destroy(), waitMs)
  let bytes = 0
  request.unpipe() // whoever reads it would pause it once more
  request.on('data', ({ length }: Buffer) => {
    bytes += length
    if (bytes > mostBytes) request.destroy()
    else if (!isHopeless) timer.refresh()
  })
  request.on('close', () => clearTimeout(timer))
  request.resume()
}
