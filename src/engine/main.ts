/** The engine process: pumps messages between its parent and the batcher. */
import { constants, setPriority } from 'node:os'
import { causesOf, type Batcher } from './batcher.ts'
import type { FromEngine, ToEngine } from '../pipe/messages.ts'
import { GraphError, openEngine } from './open-engine.ts'

// Where cores are few, the server process answers first; threads that are started from here on inherit this.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

let batcher: Batcher | undefined

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'open': return open(message)
    case 'submit':
      send({ kind: 'accepted', id: message.id })
      return batcher?.submit(message.id, message.work, message.isFollowed)
    case 'cancel': return batcher?.cancel(message.id)
    case 'ping': return send({ kind: 'pong' })
    case 'close': return close()
  }
})
process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // the parent decides when the engine ends

async function open (message: Extract<ToEngine, { kind: 'open' }>): Promise<void> {
  try {
    batcher = await openEngine(message, send)
    send({ kind: 'ready', device: message.device })
  } catch (error) {
    send({ kind: 'failed', detail: causesOf(error), ...(error instanceof GraphError && { graph: error.graph }) })
  }
}

async function close (): Promise<void> {
  await batcher?.close()
  process.disconnect()
}

function send (message: FromEngine): void {
  process.send?.(message)
}
