/** Whether another process that left its number in a file still lives. */
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isCode } from './files.ts'

/** Where process ids mean the same: the machine, and within it the container. */
export function placeOfProcess (): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** Of this place. */
export function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}
