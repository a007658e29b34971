/**
 * A decoder process: one picture at a time, its order as a message, its bytes in through stdin and out through stdout.
 */
import { constants, setPriority } from 'node:os'
import { workOn, type PictureFile, type PictureWork } from './pixels.ts'

/** `length` bytes of the file follow. */
export type Order = { file: Omit<PictureFile, 'bytes'>; length: number; work: PictureWork }

/** `length` bytes of the result follow. */
export type FromDecoder = 'begun' | 'unreadable' | { length: number }

process.on('message', (order: Order) => fill(order))
process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // the parent decides when this ends

async function fill ({ file, length, work }: Order): Promise<void> {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL) // as the engine: where cores are few, the server answers first
  const bytes = await take(length)
  send('begun')
  try {
    const result = await workOn({ ...file, bytes }, work)
    send({ length: result.length })
    process.stdout.write(result)
  } catch {
    send('unreadable')
  }
}

/** The next bytes of stdin. */
async function take (length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length;) {
    const chunk: Buffer | null = process.stdin.read()
    if (chunk) at += chunk.copy(bytes, at)
    else await new Promise(resolve => process.stdin.once('readable', resolve))
  }
  return bytes
}

function send (news: FromDecoder): void {
  process.send?.(news)
}
