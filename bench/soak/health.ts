/** A process of its own that asks a server whether it lives; sends the milliseconds, or null for no answer. */
import { setTimeout as pause } from 'node:timers/promises'
import { createTarget } from '../target.ts'

const everyMs = 50
const target = createTarget('health', process.argv[2] ?? '')
process.on('disconnect', () => process.exit())

for (;;) {
  const sent = performance.now()
  const answer = await target.get('/health/live').catch(() => undefined)
  process.send?.(answer?.status === 200 ? performance.now() - sent : null)
  await pause(everyMs)
}
