/** What was sent to an engine and has not ended: who waits, and what the engine still has to do. */
import { createDrainRate } from './drain-rate.ts'
import type { Course, Stage, StartOutlook, Timings } from './messages.ts'
import type { Part, ResultOf, Work } from './work.ts'

export type Answer<W extends Work> = { result: ResultOf[W['task']]; timings: Timings; course: Course }

/** Who else there is when a request comes: those that have not begun either, and all that have not ended. */
export type Place = { ahead: number; beside: number }

/** Hear what the engine expects of a request as it takes it, each stage that it comes to, and in order what it has. */
export type Listeners = {
  onTaken?: ((outlook: StartOutlook) => void) | undefined
  onStage?: ((stage: Stage) => void) | undefined
  onPart?: ((part: Part) => void) | undefined
}

export type Waiting = Listeners & { resolve: (answer: Answer<Work>) => void; reject: (error: Error) => void }

/**
 * Numbers requests from 1 on. A request that nobody waits for any more counts as unanswered until the engine has ended
 * it too.
 */
export function createRequests () {
  const waiting = new Map<number, Waiting>()
  const unanswered = new Map<number, { cost: number; isBegun: boolean }>()
  const drain = createDrainRate()
  let lastId = 0
  let onIdle = () => {}

  return {
    /** A new request: its number, and how it ends. */
    open (cost: number, listeners: Listeners = {}): { id: number; answer: Promise<Answer<Work>> } {
      const id = ++lastId
      if (unanswered.size === 0) drain.begin()
      unanswered.set(id, { cost, isBegun: false })
      return { id, answer: new Promise((resolve, reject) => waiting.set(id, { resolve, reject, ...listeners })) }
    },

    /** Takes a request from those that wait: whoever gets it ends it. */
    take,

    /** The engine runs the first unit of a stage of these. */
    begin (ids: number[], stage: Stage): void {
      for (const id of ids) {
        const request = unanswered.get(id)
        if (request) request.isBegun = true
        waiting.get(id)?.onStage?.(stage)
      }
    },

    /** The place of the next request. */
    place: (): Place => ({
      ahead: [...unanswered.values()].filter(({ isBegun }) => !isBegun).length,
      beside: unanswered.size
    }),

    /** The engine has ended a request; whoever left before is not told. */
    end (id: number, how: (request: Waiting) => void): void {
      if (unanswered.delete(id)) drain.end(1)
      const request = take(id)
      if (request) how(request)
    },

    tell (id: number, part: Part): void {
      waiting.get(id)?.onPart?.(part)
    },

    tellTaken (id: number, outlook: StartOutlook): void {
      waiting.get(id)?.onTaken?.(outlook)
    },

    /** The engine is gone: everything ends. */
    endAll (how: (id: number) => Error): void {
      for (const id of waiting.keys()) take(id)?.reject(how(id))
      unanswered.clear()
    },

    /** Resolves when nobody waits any more. */
    idle: () =>
      new Promise<void>(resolve => {
        onIdle = resolve
        if (waiting.size === 0) resolve()
      }),

    unanswered: () => unanswered.size,

    oldest: (): number | undefined => [...unanswered.keys()][0],

    cost: () => [...unanswered.values()].reduce((sum, { cost }) => sum + cost, 0),

    /** Whole seconds in which one more request may be taken. */
    secondsForOne: () => drain.secondsFor(1)
  }

  function take (id: number): Waiting | undefined {
    const request = waiting.get(id)
    if (!waiting.delete(id)) return
    if (waiting.size === 0) onIdle()
    return request
  }
}
