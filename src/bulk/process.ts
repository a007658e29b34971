/** Whether another process that left its number in a file still lives. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isCode } from './files.ts'

/** `start` tells it from one that comes to the same number later, `boot` from one before the machine started anew. */
export type ProcessMark = { pid: number; host: string; boot?: string | undefined; start?: string | undefined }

/** `unsure` where a process has the number, and nothing says whether it is the one that is meant. */
export type ProcessState = 'lives' | 'ended' | 'unsure' | 'elsewhere'

const host = findHost() // as `boot` the same as long as this process lives
const boot = readProc('sys/kernel/random/boot_id')?.trim()

/** What a process leaves of itself. Where the system has no /proc, its number has to do. */
export function markOfProcess (): ProcessMark {
  return { pid: process.pid, host, boot, start: readStat(process.pid)?.start }
}

/** Whether this process can know of one; another start of this machine is as far away as another machine. */
export function stateOf ({ pid, start, ...place }: Partial<ProcessMark>): ProcessState {
  const isOtherBoot = place.boot !== undefined && boot !== undefined && place.boot !== boot
  if (pid === undefined || place.host !== host || isOtherBoot) return 'elsewhere'
  if (!isThere(pid)) return 'ended'
  const stat = readStat(pid)
  if (stat?.isZombie) return 'ended'
  if (stat === undefined || start === undefined) return 'unsure'
  return stat.start === start ? 'lives' : 'ended'
}

/** The machine, and within it the container. */
function findHost (): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** `start` counts from the boot. The name before its fields may hold anything. */
function readStat (pid: number) {
  const fields = readProc(`${pid}/stat`)?.replace(/^.*\) /s, '').split(' ')
  return fields && { isZombie: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] }
}

function readProc (name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, 'latin1')
  } catch {
    return undefined
  }
}

function isThere (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}
