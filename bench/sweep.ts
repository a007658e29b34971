/** The highest rate at which a server keeps its promise, by bisection. */
import { callsOf, type Job } from './jobs.ts'
import { examine, type Exam, type Setting } from './measure.ts'
import { table, tellSpread } from './report.ts'
import { measureOnce, turned, type Plan } from './rounds.ts'
import type { Target } from './target.ts'

const halvings = 6

/** The highest rate below `most` that holds, to a 64th of `most`; 0 where none does. */
export async function highestRate (most: number, holds: (rate: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, most]
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (await holds(middle)) low = middle
    else high = middle
  }
  return low
}

/** The section of the report: for each job the rate of each server. */
export async function sweepAll (jobs: Job[], kept: (number | undefined)[], p99: number, plan: Plan): Promise<string> {
  const rows = []
  for (const [job, tokens] of jobs.flatMap(job => kept.map(tokens => [job, tokens] as const))) {
    const targets = plan.targets.filter(({ jobs }) => jobs?.includes(job) ?? true)
    const found = new Map(targets.map(target => [target, [] as number[]]))
    const exams = new Map<Target, Exam>()
    for (const target of targets) exams.set(target, await examine(target, callsOf(job, plan.pictures, tokens)))
    for (let round = 0; round < plan.rounds; round++) {
      for (const target of turned(targets, round)) {
        const exam = exams.get(target)
        if (exam) found.get(target)?.push(await sweep(target, exam, { job, kept: tokens }, p99, round, plan))
      }
    }
    for (const [{ name }, rates] of found) {
      rows.push({ job, tokens: String(tokens ?? 'any'), server: name, 'requests a second': tellSpread(rates) })
    }
    console.error(`${job}, p99 within ${p99} ms: ${[...found.values()].join('; ')}`)
  }
  return `The highest rate whose 99th percentile stays within ${p99} ms (open loop):\n\n${table(rows)}`
}

/** The most requests a second whose 99th percentile stays within `p99` milliseconds, none refused and none wrong. */
async function sweep (
  target: Target,
  exam: Exam,
  { job, kept }: Pick<Setting, 'job' | 'kept'>,
  p99: number,
  round: number,
  plan: Plan
): Promise<number> {
  const closed = await measureOnce(target, exam, { job, kept, clients: 16 }, round, plan)
  if (closed.count === closed.failed) throw new Error(`${target.name} answered no request of ${job}`)
  return await highestRate(closed.perSecond * 1.25, async rate => {
    const summary = await measureOnce(target, exam, { job, kept, rate }, round, plan)
    return summary.p99 <= p99 && summary.failed === 0 && summary.wrong === 0
  })
}
