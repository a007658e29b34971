/** One measurement: a load on one server, its warm-up and drain cut off, every answer held against the solo one. */
import { createRandom } from '../src/engine/drawing/random.ts'
import { contentOf, gistOf, type Job } from './jobs.ts'
import { closedLoop, openLoop, type Ask, type Sample } from './load.ts'
import { percentile, poissonTimes } from './statistics.ts'
import type { Call, Target } from './target.ts'

/** `kept`: patches of each picture; none is what the model decides. `rate` is of requests a second. */
export type Setting = { job: Job; kept?: number | undefined } & ({ clients: number } | { rate: number })

export type Duration = { warmUp: number; seconds: number }

/** Milliseconds, and requests a second that were answered rightly. */
export type Summary = { perSecond: number; p50: number; p99: number; count: number; failed: number; wrong: number }

/** Calls with the answers that the server gives when it has nothing else to do. */
export type Exam = { calls: Call[]; contents: string[]; gists: string[] }

const coolDown = 1 // seconds that an open loop goes on after what is counted

/** Asks each call alone. Throws where one is refused. */
export async function examine (target: Target, calls: Call[]): Promise<Exam> {
  const exam: Exam = { calls, contents: [], gists: [] }
  for (const call of calls) {
    const { status, body } = await target.ask(call)
    if (status !== 200) throw new Error(`${target.name}: POST ${call.path} answers ${status}: ${body}`)
    try {
      exam.contents.push(contentOf(body))
      exam.gists.push(gistOf(body))
    } catch (cause) {
      const answer = body.slice(0, 200)
      throw new Error(`${target.name}: POST ${call.path} answers what no LaVIT server does: ${answer}`, { cause })
    }
  }
  return exam
}

export function asking (target: Target, { calls, contents }: Exam): Ask {
  return async i => {
    const call = calls[i % calls.length]
    if (call === undefined) throw new Error('there is nothing to ask')
    const { status, body } = await target.ask(call)
    return { status, isSame: status === 200 && contentOf(body) === contents[i % calls.length] }
  }
}

/** Gives all samples; those of the window are told by `isCounted`. */
export async function load (
  ask: Ask,
  setting: Setting,
  { warmUp, seconds }: Duration,
  seed: number
): Promise<{ samples: Sample[]; isCounted: (sample: Sample) => boolean }> {
  const [from, to] = [warmUp * 1000, (warmUp + seconds) * 1000]
  if ('clients' in setting) {
    const samples = await closedLoop(ask, setting.clients, elapsed => elapsed < to)
    return { samples, isCounted: ({ ended }) => ended >= from && ended < to }
  }
  const { uniform } = createRandom(seed, 'tokens')
  const samples = await openLoop(ask, poissonTimes(setting.rate, warmUp + seconds + coolDown, uniform))
  return { samples, isCounted: ({ planned }) => planned >= from && planned < to }
}

export function summarise (samples: Sample[], seconds: number): Summary {
  const done = samples.filter(({ status }) => status === 200)
  const times = done.map(({ planned, ended }) => ended - planned)
  const right = done.filter(({ isSame }) => isSame).length
  return {
    perSecond: right / seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    count: samples.length,
    failed: samples.length - done.length,
    wrong: done.length - right
  }
}
