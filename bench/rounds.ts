/** Measurements of several servers in turns, so that what else the machine does falls on all of them alike. */
import { callsOf, type Job } from './jobs.ts'
import { asking, examine, load, summarise, type Duration, type Exam, type Setting, type Summary } from './measure.ts'
import { loads, type Record } from './record.ts'
import type { Target } from './target.ts'

/** `jobs`: what the server can be asked; all where it is not said. */
export type Contestant = Target & { jobs?: readonly Job[] }

/** A setting on one server, a summary a round. `agreement`: share of solo answers that are the first server's, too. */
export type Result = { setting: Setting; server: string; rounds: Summary[]; agreement: number }

export type Plan = {
  targets: Contestant[]
  pictures: Uint8Array[]
  duration: Duration
  rounds: number
  seed: number
  record: Record
}

/** Every setting on every server that can do its job; `results` grow with each round. */
export async function measureAll (settings: Setting[], plan: Plan, results: Result[]): Promise<void> {
  const exams = new Map<Target, Exam>()
  let [job, kept]: Partial<[Job, number]> = []
  for (const setting of settings) {
    const targets = plan.targets.filter(({ jobs }) => jobs?.includes(setting.job) ?? true)
    if (setting.job !== job || setting.kept !== kept) {
      const calls = callsOf(setting.job, plan.pictures, setting.kept)
      for (const target of targets) exams.set(target, await examine(target, calls))
    }
    ;[job, kept] = [setting.job, setting.kept]
    const rounds = new Map<Target, Summary[]>(targets.map(target => [target, []]))
    const first = targets[0] && exams.get(targets[0])
    for (const target of targets) {
      const agreement = agreementOf(first, exams.get(target))
      results.push({ setting, server: target.name, rounds: rounds.get(target) ?? [], agreement })
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const target of turned(targets, round)) {
        const exam = exams.get(target)
        if (exam) rounds.get(target)?.push(await measureOnce(target, exam, setting, round, plan))
      }
    }
    console.error(`${nameOf(setting)}: ${results.slice(-targets.length).map(tell).join(', ')}`)
  }
}

export async function measureOnce (
  target: Target,
  exam: Exam,
  setting: Setting,
  round: number,
  { duration, seed, record }: Pick<Plan, 'duration' | 'seed' | 'record'>
): Promise<Summary> {
  const { samples, isCounted } = await load(asking(target, exam), setting, duration, seed + round)
  const run = { server: target.name, ...setting, round }
  for (const sample of samples) record.write({ ...run, ...sample, isCounted: isCounted(sample) })
  record.write({ ...run, loadAverage: loads() })
  if (samples.at(-1)?.status === 0) throw new Error(`${target.name} no longer answers`)
  return summarise(samples.filter(isCounted), duration.seconds)
}

export function nameOf (setting: Setting): string {
  const kept = setting.kept === undefined ? '' : `, ${setting.kept} tokens`
  return `${setting.job}${kept}, ${'clients' in setting ? `${setting.clients} at once` : `${setting.rate} a second`}`
}

/** Another server begins each round. */
export function turned<T> (list: T[], round: number): T[] {
  const start = round % Math.max(1, list.length)
  return [...list.slice(start), ...list.slice(0, start)]
}

function agreementOf (first: Exam | undefined, exam: Exam | undefined): number {
  if (!first || !exam) return NaN
  return first.gists.filter((gist, i) => gist === exam.gists[i]).length / first.gists.length
}

function tell ({ server, rounds }: Result): string {
  return `${server} ${rounds.map(({ perSecond }) => perSecond.toFixed(1)).join(' ')}`
}
