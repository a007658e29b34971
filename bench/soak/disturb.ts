/** What is done to the server's processes while it works: engines killed and made to hang, decoders killed. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

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

export type Injected = { kills: number; hangs: number; decoders: number }

/** Begins; `stop` ends it. Engines are hit one at a time and never the first, so that its memory can be watched. */
export function disturb (
  server: number,
  spared: number,
  { killEvery, hangEvery, decoderEvery }: { killEvery: number; hangEvery: number; decoderEvery: number }
) {
  const injected: Injected = { kills: 0, hangs: 0, decoders: 0 }
  const hit = async (role: Child['role'], signal: NodeJS.Signals, count: keyof Injected) => {
    const victim = (await childrenOf(server)).filter(child => child.role === role && child.pid !== spared).at(-1)
    if (victim === undefined) return
    try {
      process.kill(victim.pid, signal)
      injected[count]++
    } catch {} // it has ended by itself
  }
  const timers = [
    setInterval(() => hit('engine', 'SIGKILL', 'kills'), killEvery * 1000),
    setInterval(() => hit('engine', 'SIGSTOP', 'hangs'), hangEvery * 1000 + 7000), // not in the midst of a restart
    setInterval(() => hit('decoder', 'SIGKILL', 'decoders'), decoderEvery * 1000)
  ]
  return {
    injected,
    stop () {
      for (const timer of timers) clearInterval(timer)
    }
  }
}
