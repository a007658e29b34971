/** lavit bench: how fast the server, or the model in this process, answers about pictures of yours. */
import { setMaxListeners } from 'node:events'
import { answers } from '../answers.ts'
import { exitCodes, Refusal, wrongUsage } from '../endings.ts'
import { jobs } from '../jobs.ts'
import { findPictures } from '../pictures.ts'
import type { Session } from '../session.ts'

export type BenchOptions = { seconds: number; job: 'caption' | 'tokenize' }

/**
 * Asks about the pictures in turns, as many at a time as --in-flight says, each as soon as another is answered. Counted
 * is what is answered within the time, after one answer that is not counted.
 */
export async function bench (session: Session, words: string[], { seconds, job }: BenchOptions) {
  const { settings, output, ask, io } = session
  setMaxListeners(0, io.signal)
  const pictures = await Promise.all((await findPictures(words, io)).map(({ fields }) => fields()))
  const [first] = pictures
  if (first === undefined) throw wrongUsage('name pictures')
  const { path } = jobs[job]
  answers[job]((await ask({ path, body: first })).body)
  const begun = performance.now()
  const end = begun + seconds * 1000
  const times: number[] = []
  let failed = 0
  let next = 0
  const client = async () => {
    while (performance.now() < end) {
      const sent = performance.now()
      try {
        await ask({ path, body: { ...pictures[next++ % pictures.length] } }, 1)
        if (performance.now() <= end) times.push(performance.now() - sent)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        failed++
      }
      output.progress(`${times.length} answers, ${Math.max(0, Math.ceil((end - performance.now()) / 1000))} s left`)
    }
  }
  await Promise.all(Array.from({ length: settings.inFlight }, client))
  output.clear()
  times.sort((a, b) => a - b)
  const result = {
    job,
    clients: settings.inFlight,
    answers: times.length,
    failed,
    per_second: round(times.length / seconds),
    p50_ms: round(quantile(times, 0.5)),
    p99_ms: round(quantile(times, 0.99))
  }
  const told = Object.entries(result).map(([name, value]) => `${name} ${value}`)
  for (const line of settings.json ? [JSON.stringify(result)] : told) await output.line(line)
  return failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

/** The least of the sorted times that at least the share `q` does not exceed; 0 where there are none. */
function quantile (sorted: number[], q: number) {
  return sorted[Math.ceil(q * sorted.length) - 1] ?? 0
}

function round (value: number) {
  return Math.round(value * 10) / 10
}
