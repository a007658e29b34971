/** The highest rate at which a server keeps its promise, by bisection. */
import { measureOnce, type Plan } from './rounds.ts'
import type { Exam, Setting } from './measure.ts'
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

/** The most requests a second whose 99th percentile stays within `p99` milliseconds, none refused and none wrong. */
export async function sweep (
  target: Target,
  exam: Exam,
  { job, kept }: Pick<Setting, 'job' | 'kept'>,
  p99: number,
  round: number,
  plan: Plan
): Promise<number> {
  const closed = await measureOnce(target, exam, { job, kept, clients: 16 }, round, plan)
  return await highestRate(closed.perSecond * 1.25, async rate => {
    const summary = await measureOnce(target, exam, { job, kept, rate }, round, plan)
    return summary.p99 <= p99 && summary.failed === 0 && summary.wrong === 0
  })
}
