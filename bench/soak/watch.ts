/** What is looked at while the soak runs: memory of each process, and how the server says that it lives. */
import { fork } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childrenOf } from './disturb.ts'

const memoryEveryMs = 2000
const collectEvery = 15 // samples
const collectMs = 500 // until what was free has gone back

/** MiB after so many minutes and requests. */
export type Sample = {
  minutes: number
  requests: number
  /** Server and engine have just collected garbage: what comes and goes between two collections is not in it. */
  isCollected: boolean
  server: number
  engine: number
  decoders: number
}

/** `health`: milliseconds of each answer; NaN where none came. */
export type Watched = { samples: Sample[]; health: number[] }

/** `engine` is the one whose memory is watched; `done` tells how many requests have ended. */
export function watch (url: string, server: number, engine: number, done: () => number) {
  const watched: Watched = { samples: [], health: [] }
  const from = performance.now()

  let count = 0
  const timer = setInterval(async () => {
    const isCollected = ++count % collectEvery === 0
    if (isCollected) await collect([server, engine])
    const children = await childrenOf(server)
    const own = (await childrenOf(process.pid)).find(({ pid }) => pid === server)
    watched.samples.push({
      minutes: (performance.now() - from) / 60_000,
      requests: done(),
      isCollected,
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

/** `collect.mjs` hears it; where nothing runs any more, the report tells by the other figures. */
async function collect (pids: number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGURG')
    } catch {}
  }
  await pause(collectMs)
}
