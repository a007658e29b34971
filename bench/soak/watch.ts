/** What is looked at while the soak runs: memory of each process, and how the server says that it lives. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childrenOf } from './disturb.ts'

const memoryEveryMs = 2000

/** MiB after so many minutes and requests. */
export type Sample = { minutes: number; requests: number; server: number; engine: number; decoders: number }

/** `health`: milliseconds of each answer; NaN where none came. */
export type Watched = { samples: Sample[]; health: number[] }

/** `engine` is the one whose memory is watched; `done` tells how many requests have ended. */
export function watch (url: string, server: number, engine: number, done: () => number) {
  const watched: Watched = { samples: [], health: [] }
  const from = performance.now()

  const timer = setInterval(async () => {
    const children = await childrenOf(server)
    const own = (await childrenOf(process.pid)).find(({ pid }) => pid === server)
    watched.samples.push({
      minutes: (performance.now() - from) / 60_000,
      requests: done(),
      server: own?.rss ?? NaN,
      engine: children.find(({ pid }) => pid === engine)?.rss ?? NaN,
      decoders: children.filter(({ role }) => role === 'decoder').reduce((sum, { rss }) => sum + rss, 0)
    })
  }, memoryEveryMs)
  const prober = fork(fileURLToPath(new URL('./health.ts', import.meta.url)), [url])
  prober.on('message', ms => watched.health.push(typeof ms === 'number' ? ms : NaN))
  return {
    watched,
    stop () {
      clearInterval(timer)
      prober.kill()
    }
  }
}
