/** The engine process: pumps messages between its parent and the batcher. */
import { constants, setPriority } from 'node:os'
import type { Batcher } from './batcher.ts'
import { createCollector } from './collect.ts'
import { causesOf } from './failure.ts'
import type { FromEngine, ToEngine } from '../pipe/messages.ts'
import { troubleOf } from '../pipe/trouble.ts'
import { openEngine, openGraph } from './open-engine.ts'
import { refusalOf } from './refusal.ts'
import { createSelfTest } from './self-test.ts'
import { tryDevice } from './try-device.ts'
import { warmUp } from './warm-up.ts'

// Where cores are few, the server process answers first; threads that are started from here on inherit this.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const firstWorkId = 0 // requests count from 1
const noteEnd = createCollector(() => globalThis.gc?.())
let batcher: Batcher | undefined

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'open':
      return open(message)
    case 'try':
      return tryDevice(message.device).then(trial => send({ kind: 'tried', ...trial }))
    case 'submit':
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
    const selfTest = createSelfTest()
    const opened = await openEngine(
      message,
      told => ('id' in told && told.id === firstWorkId ? told.kind !== 'placed' && onEnd(told) : tell(told)),
      selfTest
    )
    await warmUp(
      manifest,
      message.slots,
      work =>
        new Promise(resolve => {
          onEnd = resolve
          opened.submit(firstWorkId, work)
        })
    )
    await selfTest.compare(graph => openGraph(graph, { ...message, device: 'cpu' }))
    batcher = opened
    send({ kind: 'ready', device, ...opened.place })
  } catch (error) {
    send({ kind: 'failed', ...refusalOf(error, device), detail: causesOf(error) })
  }

  /** What no later work can survive ends the process in place of one request. */
  function tell (told: FromEngine): void {
    if (told.kind === 'done' || told.kind === 'error' || told.kind === 'cancelled') noteEnd()
    const trouble = told.kind === 'error' && device !== 'cpu' ? troubleOf(told.detail) : undefined
    if (trouble && told.kind === 'error') send({ kind: 'trouble', trouble, detail: told.detail })
    else send(told)
  }
}

async function close (): Promise<void> {
  await batcher?.close()
  process.disconnect()
}

function send (message: FromEngine): void {
  process.send?.(message)
}
