/** Resident memory of a server's processes over many mixed requests. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { callsOf } from './jobs.ts'
import { checkAnswered, closedLoop } from './load.ts'
import { asking, examine } from './measure.ts'
import { table, tellNumber } from './report.ts'
import type { Plan } from './rounds.ts'
import { lineThrough } from './statistics.ts'
import type { Target } from './target.ts'

const clients = 16
const sampleEveryMs = 1000
const warmUpShare = 0.25 // of the requests

export const rolesOf = ['server', 'engines', 'decoders'] as const
type Role = (typeof rolesOf)[number] | 'worker'
export type MemorySample = { requests: number } & Record<Role, number> // MiB

/** The section of the report. Slopes are of least squares after the warm-up. */
export async function measureMemory (target: Target, requests: number, { pictures, record }: Plan): Promise<string> {
  const { pid } = target
  if (pid === undefined) throw new Error('--memory looks at the server that it starts itself: leave out --servers')
  const exam = await examine(target, callsOf('mixed', pictures))
  const ask = asking(target, exam)
  const samples: MemorySample[] = []
  let done = 0
  const look = async () => {
    const sample = { requests: done, ...(await readMemory(pid)) }
    samples.push(sample)
    record.write({ server: target.name, memory: sample })
  }
  await look()
  const timer = setInterval(look, sampleEveryMs)
  const answers = await closedLoop(ask, clients, (_, sent) => sent < requests, () => done++)
  clearInterval(timer)
  await look()
  checkAnswered(target.name, answers)
  const wrong = answers.filter(({ isSame }) => !isSame).length
  return [
    `${requests} mixed requests by ${clients} clients, ${wrong} wrong or refused; MiB, sampled each second:`,
    tellMemory(samples, rolesOf)
  ].join('\n\n')
}

/** Slopes are of least squares, after a quarter of the requests. */
export function tellMemory (samples: MemorySample[], roles: readonly Role[]): string {
  const last = samples.at(-1)?.requests ?? 0
  const warm = samples.filter(sample => sample.requests >= last * warmUpShare)
  return table(
    roles.map(role => {
      const { slope, standardError } = lineThrough(warm.map(sample => [sample.requests / 1000, sample[role]]))
      return {
        processes: role,
        'at the start': tellNumber(samples[0]?.[role] ?? NaN),
        'after a quarter': tellNumber(warm[0]?.[role] ?? NaN),
        'at the end': tellNumber(warm.at(-1)?.[role] ?? NaN),
        most: tellNumber(Math.max(...samples.map(sample => sample[role]))),
        'growth in 1,000 requests': `${tellNumber(slope)} ± ${tellNumber(standardError)}`
      }
    })
  )
}

/** Of the server's process and its children, and of another that works for it, MiB. */
export async function readMemory (pid: number, worker?: number): Promise<Record<Role, number>> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='])
  const sums = { server: 0, engines: 0, decoders: 0, worker: 0 }
  for (const line of stdout.split('\n')) {
    const [id, parent, kibibytes, ...words] = line.trim().split(/\s+/)
    if (Number(id) === worker) sums.worker += Number(kibibytes) / 1024
    if (Number(id) === pid) sums.server += Number(kibibytes) / 1024
    if (Number(parent) !== pid) continue
    sums[/engine\/main\.[jt]s/.test(words.join(' ')) ? 'engines' : 'decoders'] += Number(kibibytes) / 1024
  }
  return sums
}
