/** How far a bulk job is, how fast, and how long it will take. */

/** `all` pictures, of which `before` were done when it began. Time is in ms. */
export function createProgress (all: number, before: number, now = () => performance.now()) {
  const begun = now()
  let done = before
  let failed = 0
  return {
    add (isFailed: boolean) {
      done++
      if (isFailed) failed++
    },
    tell () {
      const perSecond = (done - before) / Math.max((now() - begun) / 1000, 0.001)
      const left = perSecond > 0 ? `, ${tellSeconds((all - done) / perSecond)} left` : ''
      const failures = failed > 0 ? `, ${failed} failed` : ''
      return `${done} of ${all}${failures}, ${perSecond.toFixed(1)}/s${left}`
    }
  }
}

/** `1 h 5 min` of 3900. */
function tellSeconds (seconds: number) {
  const minutes = Math.round(seconds / 60)
  if (seconds < 100) return `${Math.ceil(seconds)} s`
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
