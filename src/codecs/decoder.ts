/** A decoder process: takes one picture at a time through stdin, and gives what became of it through stdout. */
import { constants, setPriority } from 'node:os'
import { createFrames, sendFrame } from './frames.ts'
import { workOn, type PictureFile, type PictureWork } from './pixels.ts'

/** The bytes of the file go with it. */
export type Order = { file: Omit<PictureFile, 'bytes'>; work: PictureWork }

/** The result goes with `done`; `ready` comes once, before all others. */
export type FromDecoder = 'ready' | 'unreadable' | 'done'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // the parent decides when this ends
setPriority(constants.priority.PRIORITY_BELOW_NORMAL) // as the engine: where cores are few, the server answers first
process.stdin.on('data', createFrames<Order>(fill))
process.stdin.on('end', () => process.exit())
send('ready')

async function fill ({ file, work }: Order, bytes: Uint8Array): Promise<void> {
  try {
    send('done', await workOn({ ...file, bytes }, work))
  } catch {
    send('unreadable')
  }
}

function send (news: FromDecoder, result?: Uint8Array): void {
  sendFrame(process.stdout, news, result)
}
