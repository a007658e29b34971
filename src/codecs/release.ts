/** Memory of files, given back as soon as they are read. */
import { MessageChannel } from 'node:worker_threads'

const leastBytes = 16_384 // shorter ones may share their memory with others

const { port1: nowhere, port2: nobody } = new MessageChannel()
nobody.close()

/**
 * Frees the memory of `bytes`, which are empty from here on: it goes to a port that nobody reads. The collector would
 * count it as its own, and look through all that lives to be rid of a few photographs. Bytes that are a part of other
 * memory stay.
 */
export function release (bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes
  if (byteLength < leastBytes || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return
  nowhere.postMessage(null, [buffer])
}
