/** The engine process: pumps messages between its parent and the batcher. */
import { constants, setPriority } from 'node:os'
import type { Batcher } from './batcher.ts'
import { causesOf } from './failure.ts'
import { MisfitError } from '../graphs/session.ts'
import type { FromEngine, ToEngine } from '../pipe/messages.ts'
import { GraphError, openEngine } from './open-engine.ts'
import { warmUp } from './warm-up.ts'

// Where cores are few, the server process answers first; threads that are started from here on inherit this.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const firstWorkId = 0 // requests count from 1
let batcher: Batcher | undefined

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'open':
      return open(message)
    case 'submit':
      send({ kind: 'accepted', id: message.id })
      return batcher?.submit(message.id, message.work, message)
    case 'cancel':
      return batcher?.cancel(message.id)
    case 'ping':
      return send({ kind: 'pong' })
    case 'close':
      return close()
  }
})
process.on('disconnect', () => process.exit())
// the parent decides when the engine ends
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

async function open (message: Extract<ToEngine, { kind: 'open' }>): Promise<void> {
  const { manifest, device } = message
  try {
    let onEnd = (_end: FromEngine) => {}
    const opened = await openEngine(message, told =>
      'id' in told && told.id === firstWorkId ? told.kind !== 'placed' && onEnd(told) : send(told)
    )
    await warmUp(
      manifest,
      work =>
        new Promise(resolve => {
          onEnd = resolve
          opened.submit(firstWorkId, work)
        })
    )
    batcher = opened
    send({ kind: 'ready', device })
  } catch (error) {
    send({ kind: 'failed', reason: reasonOf(error, device), detail: causesOf(error) })
  }
}

function reasonOf (error: unknown, device: string): string {
  if (error instanceof MisfitError) return error.message
  if (error instanceof GraphError) return `the engine cannot open its graph ${error.graph} on the device ${device}`
  return `the engine cannot run it on the device ${device}`
}

async function close (): Promise<void> {
  await batcher?.close()
  process.disconnect()
}

function send (message: FromEngine): void {
  process.send?.(message)
}
