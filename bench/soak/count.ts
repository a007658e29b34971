/** Outcomes counted, and each held to what it may be. */
import type { Outcome, Sent } from './send.ts'

const busy = new Set([429, 503, 504]) // full, an engine that is started again, a deadline
const busyCodes = /"code":"(queue_full|engine_restarting|deadline_exceeded)"/

/** How requests of one kind ended, and those that should not have ended so. */
export type Count = { sent: number; ends: Map<string, number> }

export type Counts = ReturnType<typeof createCounts>

export function createCounts () {
  const kinds = new Map<string, Count>()
  const contents = new Map<string, string>()
  const wrong: string[] = []
  let ended = 0
  let answered = 0
  let left = 0

  return {
    kinds,
    /** What was answered as it should not be, or not at all: the first lines of each. */
    wrong,
    ended: () => ended,
    answered: () => answered,
    left: () => left,
    add
  }

  function add (sent: Sent, outcome: Outcome): void {
    ended++
    if (outcome.is === 'answered' && sent.text === undefined) answered++
    if (outcome.is === 'left') left++
    const count = kinds.get(sent.kind) ?? { sent: 0, ends: new Map() }
    kinds.set(sent.kind, count)
    count.sent++
    const end = endOf(outcome)
    count.ends.set(end, (count.ends.get(end) ?? 0) + 1)
    const why = faultOf(sent, outcome)
    if (why !== undefined && wrong.length < 100) wrong.push(`${sent.kind}: ${why}`)
  }

  function faultOf (sent: Sent, outcome: Outcome): string | undefined {
    switch (outcome.is) {
      case 'left':
        return
      case 'lost':
        return `lost (${outcome.reason})`
      case 'broken':
        return `a stream without one end: ${outcome.body.slice(-200)}`
      case 'answered': {
        const { status, body } = outcome
        if (busy.has(status) && busyCodes.test(body)) return
        if (!sent.may.includes(status)) return `${status}: ${body.slice(0, 200)}`
        if (status === 200 && sent.same !== undefined && !outcome.isStream) return differs(sent.same, body)
      }
    }
  }

  /** The same request has the same answer, whenever it comes. */
  function differs (name: string, body: string): string | undefined {
    const { image_ref: _, ...content } = JSON.parse(body)
    const text = JSON.stringify(content)
    const known = contents.get(name)
    contents.set(name, known ?? text)
    return known === undefined || known === text ? undefined : `another answer than before to ${name}`
  }
}

function endOf (outcome: Outcome): string {
  if (outcome.is !== 'answered') return outcome.is
  if (!outcome.isStream) return String(outcome.status)
  return /\nevent: error\n|^event: error\n/.test(outcome.body) ? 'stream, error' : 'stream, done'
}
