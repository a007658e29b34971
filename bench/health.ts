/** Whether the server still says that it lives while everything is asked of it at once, large pictures too. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { callsOf } from './jobs.ts'
import { checkAnswered, closedLoop, type Sample } from './load.ts'
import { asking, examine } from './measure.ts'
import { makePhotograph } from './pictures.ts'
import type { Order } from './prober.ts'
import { table, tellNumber, tellSpread } from './report.ts'
import { turned, type Plan } from './rounds.ts'
import { percentile } from './statistics.ts'
import type { Target } from './target.ts'

const clients = 16
const photographers = 2 // clients that send pictures of 12 megapixels
const probeEveryMs = 20

/** `lag`: by how much probes were sent late, the 99th percentile. */
type Round = { p50: number; p99: number; most: number; lag: number; failed: number; photographs: number }

/** The section of the report. */
export async function measureHealth (plan: Plan): Promise<string> {
  const { targets, pictures } = plan
  const photograph = await makePhotograph(4000, 3000)
  const rounds = new Map<Target, Round[]>(targets.map(target => [target, []]))
  const asks = new Map<Target, Awaited<ReturnType<typeof asksOf>>>()
  for (const target of targets) asks.set(target, await asksOf(target, pictures, photograph))
  for (let round = 0; round < plan.rounds; round++) {
    for (const target of turned(targets, round)) {
      const all = asks.get(target)
      if (all) rounds.get(target)?.push(await measure(target, all, round, plan))
    }
  }
  return [
    `\`GET /health/live\` every ${probeEveryMs} ms while ${clients} clients ask mixed jobs and ${photographers} send ` +
      'JPEGs of 12 megapixels to `/tokenize`:',
    table(
      [...rounds].map(([{ name }, all]) => ({
        server: name,
        'p50 ms': tellSpread(all.map(({ p50 }) => p50)),
        'p99 ms': tellSpread(all.map(({ p99 }) => p99)),
        'longest ms': tellNumber(Math.max(...all.map(({ most }) => most))),
        'late by, p99 ms': tellSpread(all.map(({ lag }) => lag)),
        'p50 ms of a photograph': tellSpread(all.map(({ photographs }) => photographs)),
        failed: String(all.reduce((sum, { failed }) => sum + failed, 0))
      }))
    )
  ].join('\n\n')
}

async function asksOf (target: Target, pictures: Uint8Array[], photograph: Uint8Array) {
  const large = [{ path: '/tokenize?seed=0', type: 'image/jpeg', body: photograph }]
  return {
    mixed: asking(target, await examine(target, callsOf('mixed', pictures))),
    large: asking(target, await examine(target, large))
  }
}

async function measure (
  target: Target,
  { mixed, large }: Awaited<ReturnType<typeof asksOf>>,
  round: number,
  { duration: { warmUp, seconds }, record }: Plan
): Promise<Round> {
  const [from, to] = [warmUp * 1000, (warmUp + seconds) * 1000]
  const goesOn = (elapsed: number) => elapsed < to
  const times = Array.from({ length: Math.floor(to / probeEveryMs) }, (_, i) => (i * probeEveryMs) / 1000)
  const probe = await startProber(target)
  const [probes, photographs, others] = await Promise.all([
    probe(times),
    closedLoop(large, photographers, goesOn),
    closedLoop(mixed, clients, goesOn)
  ])
  for (const samples of [probes, photographs, others]) checkAnswered(target.name, samples)
  for (const sample of probes) record.write({ server: target.name, health: round, ...sample })
  const counted = probes.filter(({ planned }) => planned >= from)
  const milliseconds = (samples: Sample[]) => samples.map(({ sent, ended }) => ended - sent)
  return {
    p50: percentile(milliseconds(counted), 0.5),
    p99: percentile(milliseconds(counted), 0.99),
    most: percentile(milliseconds(counted), 1),
    lag: percentile(counted.map(({ planned, sent }) => sent - planned), 0.99),
    failed: counted.filter(({ status }) => status !== 200).length,
    photographs: percentile(milliseconds(photographs), 0.5)
  }
}

/** What `times` are sent to begins then; they are seconds from that moment. */
async function startProber ({ url }: Target): Promise<(times: number[]) => Promise<Sample[]>> {
  const prober = fork(new URL('./prober.ts', import.meta.url), [], { execArgv: process.execArgv })
  await once(prober, 'message') // ready
  return async times => {
    const order: Order = { url, key: process.env.LAVIT_KEY?.trim(), path: '/health/live', times }
    prober.send(order)
    const [samples] = await once(prober, 'message')
    return samples
  }
}
