/** One request and what becomes of it: it waits while the model loads, is stopped at will and tried again. */
import { signal, type Signal } from '@preact/signals'
import { Problem } from '../server/ask.ts'
import { noteProblem, untilReady } from './server.ts'

export type Status = 'idle' | 'waiting' | 'running' | 'done' | 'stopped' | 'failed'

export type Job = {
  status: Signal<Status>
  problem: Signal<string>
  /** Milliseconds that it took so far. */
  ms: Signal<number>
  run: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>
  again: () => Promise<void>
  stop: () => void
}

const passing = ['model_loading', 'engine_restarting']

/** Work that begins while other runs stops that first. */
export function createJob (): Job {
  const status = signal<Status>('idle')
  const problem = signal('')
  const ms = signal(0)
  let controller = new AbortController()
  let last: (signal: AbortSignal) => Promise<void> = async () => {}

  async function run (work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    controller.abort()
    const mine = controller = new AbortController()
    last = work
    problem.value = ''
    status.value = 'running'
    const start = performance.now()
    const count = () => {
      if (controller === mine) ms.value = performance.now() - start
    }
    const clock = setInterval(count, 100)
    try {
      await attempt(work, mine.signal)
      if (controller === mine) status.value = 'done'
    } catch (error) {
      if (mine.signal.aborted) {
        if (controller === mine) status.value = 'stopped'
      } else tell(error)
    } finally {
      clearInterval(clock)
      count()
    }
  }

  async function attempt (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) {
    for (;;) {
      try {
        return await work(signal)
      } catch (error) {
        noteProblem(error)
        if (!(error instanceof Problem) || !passing.includes(error.code)) throw error
        status.value = 'waiting'
        await untilReady(signal)
        signal.throwIfAborted()
        status.value = 'running'
      }
    }
  }

  function tell (error: unknown) {
    if (!(error instanceof Problem)) {
      status.value = 'failed'
      problem.value = 'The page made a mistake'
      throw error
    }
    status.value = 'failed'
    const { message, retrySeconds } = error
    problem.value = retrySeconds === undefined ? message : `${message}; try again in ${retrySeconds} s`
  }

  return { status, problem, ms, run, again: () => run(last), stop: () => controller.abort() }
}

export function isBusy ({ status }: Job): boolean {
  return status.value === 'running' || status.value === 'waiting'
}
