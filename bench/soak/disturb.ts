/** What is done to the server's processes while it works: engines killed and made to hang, decoders killed. */
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { recoveryOf, type Death } from './deaths.ts'

export type Child = { pid: number; role: 'engine' | 'decoder'; rss: number } // MiB

/** The children of a process, the oldest first. */
export async function childrenOf (parent: number): Promise<Child[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=,args=', '--sort=start_time'])
  return stdout.split('\n').flatMap(line => {
    const [pid, ppid, rss, ...words] = line.trim().split(/\s+/).map(word => word)
    if (Number(ppid) !== parent) return []
    const role = /engine\/main\.[jt]s/.test(words.join(' ')) ? 'engine' as const : 'decoder' as const
    return [{ pid: Number(pid), role, rss: Number(rss) / 1024 }]
  })
}

/** `deaths` are those of engines; how many `decoders` were killed. */
export type Injected = { deaths: Death[]; decoders: number }

type Disturbances = { killEvery: number; hangEvery: number; decoderEvery: number } // seconds

const mostRecoveryMs = 60_000 // what takes longer is not waited for

/**
 * Begins; `stop` ends it, and waits for the engine that was hit last. Engines are hit one at a time, the next when
 * there is another, and never the first, so that its memory can be watched. `readyAt` tells when engines were ready.
 */
export function disturb (
  server: number,
  spared: number,
  readyAt: readonly number[],
  { killEvery, hangEvery, decoderEvery }: Disturbances
) {
  const injected: Injected = { deaths: [], decoders: 0 }
  let turn = Promise.resolve() // of engines
  let isOver = false
  const timers = [
    setInterval(() => hitEngine('kill'), killEvery * 1000),
    setInterval(() => hitEngine('hang'), hangEvery * 1000),
    setInterval(hitDecoder, decoderEvery * 1000)
  ]
  return {
    injected,
    async stop () {
      isOver = true
      for (const timer of timers) clearInterval(timer)
      await turn
    }
  }

  function hitEngine (by: Death['by']): void {
    turn = turn.then(async () => {
      if (isOver) return
      const at = await hit('engine', by === 'kill' ? 'SIGKILL' : 'SIGSTOP')
      if (at === undefined) return
      const death = { by, at }
      injected.deaths.push(death)
      while (recoveryOf(death, readyAt) === undefined && Date.now() - death.at < mostRecoveryMs) await pause(50)
    })
  }

  async function hitDecoder (): Promise<void> {
    if ((await hit('decoder', 'SIGKILL')) !== undefined) injected.decoders++
  }

  /** When it was hit, in milliseconds of the epoch; nothing where there was none. */
  async function hit (role: Child['role'], signal: NodeJS.Signals): Promise<number | undefined> {
    const victim = (await childrenOf(server)).filter(child => child.role === role && child.pid !== spared).at(-1)
    if (victim === undefined) return
    const at = Date.now()
    try {
      process.kill(victim.pid, signal)
      return at
    } catch {} // it has ended by itself
  }
}
