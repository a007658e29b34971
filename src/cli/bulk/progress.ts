/** How far a bulk job is, how fast, how long it will take, and what it costs. */
import type { Row } from './row.ts'

export type Progress = ReturnType<typeof createProgress>

/** `all` pictures, of which `before` were done when it began. Time is in ms. */
export function createProgress (all: number, before: number, now = () => performance.now()) {
  const begun = now()
  let finished = before // in shards that are done, by whomever
  let current = 0 // in the shard that this worker has
  const own = { rows: 0, failed: 0, tokens: 0 }
  return {
    /** A shard begins, when so many pictures are in shards that are done. */
    begin (done: number) {
      finished = done
      current = 0
    },
    add ({ failedAs, usage }: Pick<Row, 'failedAs' | 'usage'>) {
      current++
      own.rows++
      if (failedAs !== undefined) own.failed++
      own.tokens += usage.visual_tokens + usage.completion_tokens
    },
    tell () {
      const done = finished + current
      const seconds = Math.max((now() - begun) / 1000, 0.001)
      const perSecond = (done - before) / seconds
      const left = perSecond > 0 ? `, ${tellSeconds((all - done) / perSecond)} left` : ''
      const failures = own.failed > 0 ? `, ${own.failed} failed` : ''
      const tokens = Math.round((1000 * own.tokens) / own.rows)
      const cost = own.rows > 0 ? `; 1,000 take ${tellSeconds((1000 * seconds) / own.rows)} and ${tokens} tokens` : ''
      return `${done} of ${all}${failures}, ${perSecond.toFixed(1)}/s${left}${cost}`
    }
  }
}

/** `1 h 5 min` of 3900. */
function tellSeconds (seconds: number) {
  const minutes = Math.round(seconds / 60)
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
