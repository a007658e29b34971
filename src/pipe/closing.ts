/** How an engine process is ended: after its requests, or after the time that they have. */
import type { EngineProcess } from './engine-process.ts'

const exitGraceMs = 1000

/** `idle` resolves when no request is left. */
export function createClosing ({ ended, send, kill }: EngineProcess, idle: () => Promise<void>) {
  let closing: Promise<void> | undefined
  let cut = () => {}

  return { hasBegun: () => closing !== undefined, close }

  /**
   * Takes no new work, lets requests finish for `graceMs`, then ends the process; resolves when it is gone. A later
   * call can only shorten the time.
   */
  function close (graceMs = 0): Promise<void> {
    closing ??= shut()
    const timer = setTimeout(cut, graceMs)
    ended.then(() => clearTimeout(timer))
    return closing
  }

  async function shut () {
    const late = new Promise<void>(resolve => {
      cut = resolve
    })
    await Promise.race([idle(), late])
    send({ kind: 'close' })
    const timer = setTimeout(kill, exitGraceMs)
    await ended
    clearTimeout(timer)
  }
}
