/** Tries a device in a process of its own, as an engine would take it: some drivers end the process that they fail. */
import { startEngineProcess } from './engine-process.ts'
import type { Device } from './messages.ts'

const patienceMs = 60_000

/** Whether a first small graph runs, also in half precision; `fault` says why not. */
export function tryDevice (
  { kind, environment }: { kind: Device; environment: Record<string, string> },
  { entry }: { entry?: URL } = {}
): Promise<{ f16: boolean; fault: string | null }> {
  return new Promise(resolve => {
    const child = startEngineProcess({
      entry,
      environment,
      onLine () {},
      onMessage (message) {
        if (message.kind !== 'tried') return
        clearTimeout(timer)
        resolve({ f16: message.f16, fault: message.fault })
        child.kill()
      }
    })
    const timer = setTimeout(() => {
      resolve({ f16: false, fault: `a first small graph took longer than ${patienceMs / 1000} s` })
      child.kill()
    }, patienceMs)
    child.ended.then(reason => {
      clearTimeout(timer)
      resolve({ f16: false, fault: `the process that tried it ended (${reason})` })
    })
    child.send({ kind: 'try', device: kind })
  })
}
