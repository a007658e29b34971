/**
 * Asks one path again and again at planned times, in a process of its own that goes before others where it may: so it
 * tells how late the server is, and not how late whoever loads it.
 */
import { constants, setPriority } from 'node:os'
import { openLoop } from './load.ts'
import { createTarget } from './target.ts'

/** `times` are seconds from now. */
export type Order = { url: string; key?: string | undefined; path: string; times: number[] }

process.on('message', async ({ url, key, path, times }: Order) => {
  const target = createTarget('probed', url, { key })
  const samples = await openLoop(async () => ({ status: (await target.get(path)).status, isSame: true }), times)
  process.send?.(samples)
  await target.stop()
  process.disconnect()
})
try {
  setPriority(constants.priority.PRIORITY_HIGHEST)
} catch {} // who is not root may not
process.send?.('ready')
