/** The report of a soak, in Markdown, and whether it held. */
import type { Head } from '../record.ts'
import { table, tellNumber } from '../report.ts'
import { lineThrough, percentile } from '../statistics.ts'
import type { Counts } from './count.ts'
import { tellRecoveries } from './deaths.ts'
import type { Injected } from './disturb.ts'
import type { Lines } from './server.ts'
import type { Sample, Watched } from './watch.ts'

const warmUpShare = 0.25 // of the time
const parts = 10 // of the time after it
const studentT = 2.306 // the 97.5th percentile of its distribution, of a line through so many points

export type Soak = {
  head: Head
  minutes: number
  counts: Counts
  watched: Watched
  injected: Injected
  readyAt: number[] // of engines, in milliseconds of the epoch
  readyWithin: number // seconds
  lines: Lines
  before: Map<string, number>
  after: Map<string, number>
  exitCode: number | null
}

type Check = { what: string; found: string; holds: boolean }

/** The report, and whether all checks hold. */
export function reportOf (soak: Soak): { text: string; holds: boolean } {
  const { head, minutes, counts, watched, injected, readyAt, lines } = soak
  const checks = checksOf(soak)
  const holds = checks.every(check => check.holds)
  const command = ['npm run soak', head.arguments].filter(Boolean).join(' -- ')
  const sections = [
    '# Soak',
    'The built server under mixed requests of many clients, some of which leave, with pictures that are bombs, ' +
      'deadlines, broken bodies and no HTTP at all, while engines are killed and made to hang and decoders are ' +
      'killed. `npm run soak` writes this page.',
    [
      `- ${head.date}, commit ${head.commit}, Node ${head.node}`,
      `- ${head.processor}, ${head.cores} cores, ${head.memoryGiB} GiB, ${head.system}`,
      `- \`${command}\`: ${counts.ended()} requests in ${minutes.toFixed(1)} minutes`
    ].join('\n'),
    `## ${holds ? 'All of it held' : 'Not all of it held'}`,
    table(checks.map(({ what, found, holds }) => ({ '': holds ? 'holds' : '**fails**', what, found }))),
    '## How requests ended',
    'Each once; `left` are clients that went away. A busy server may answer 429, 503 or 504 instead.',
    table(
      [...counts.kinds].map(([kind, { sent, ends }]) => ({
        kind,
        sent: String(sent),
        ends: [...ends].sort(([, a], [, b]) => b - a).map(([end, count]) => `${end}: ${count}`).join(', ')
      }))
    ),
    '## Engines that were killed or made to hang',
    'Seconds from the signal to an engine that is ready in its place; one that hangs has to be noticed first. ' +
      `${injected.decoders} processes that decode pictures were killed, too.`,
    table(
      tellRecoveries(injected.deaths, readyAt).map(({ by, count, median, longest }) => ({
        by,
        times: String(count),
        median: count === 0 ? '' : tellNumber(median),
        longest: count === 0 ? '' : tellNumber(longest)
      }))
    ),
    '## Memory',
    'MiB, every 2 s. Each 30 s server and engine collect garbage first, since what V8 has not collected yet comes ' +
      'and goes by tens of MiB in minutes: all columns are of these samples, but for the start and the most. The ' +
      'slope is of least squares, through the means of ten parts of the time after its first quarter, with its 95 % ' +
      'interval. The engine is the one that was never disturbed. Collections would have V8 let go of compiled code, ' +
      'so that the server keeps it here, as an engine always does.',
    table(
      (['server', 'engine', 'decoders'] as const).map(role => {
        const { slope, noise, warm } = slopeOf(watched.samples, role)
        const [start] = watched.samples
        return {
          process: role,
          'at the start': tellNumber(start?.[role] ?? NaN),
          'warmed up': tellNumber(warm[0]?.[role] ?? NaN),
          'at the end': tellNumber(warm.at(-1)?.[role] ?? NaN),
          most: tellNumber(Math.max(...watched.samples.map(sample => sample[role]))),
          'growth in 1,000 requests': `${tellNumber(slope)} ± ${tellNumber(noise)}`
        }
      })
    ),
    '## Lines of the log, warnings and worse',
    lines.size === 0 ? 'None.' : table([...lines].map(([line, count]) => ({ line, count: String(count) }))),
    ...(counts.wrong.length > 0 ? ['## What was wrong', '```\n' + counts.wrong.slice(0, 30).join('\n') + '\n```'] : [])
  ]
  return { text: sections.join('\n\n') + '\n', holds }
}

function checksOf (soak: Soak): Check[] {
  const { counts, watched, injected, readyAt, readyWithin, lines, before, after, exitCode } = soak
  const health = watched.health.filter(ms => !Number.isNaN(ms))
  const unhealthy = watched.health.length - health.length
  const p99 = percentile(health, 0.99)
  const most = percentile(health, 1)
  const ends = ['error: engine process ended', 'error: engine does not start']
  const restarts = ends.reduce((sum, line) => sum + (lines.get(line) ?? 0), 0)
  const noticed = lines.get('error: engine hangs') ?? 0
  const hangs = injected.deaths.filter(({ by }) => by === 'hang').length
  const kills = injected.deaths.length - hangs
  const longest = Math.max(0, ...tellRecoveries(injected.deaths, readyAt).map(({ longest }) => longest || 0))
  const counted = countedBy(after, before, () => true)
  const gone = countedBy(after, before, name => /"499"/.test(name))
  const gauge = /^lavit_(requests_in_flight|queue_length|running|kv_slots_in_use|queued_cost)/
  const open = [...after].filter(([name, value]) => gauge.test(name) && value !== 0)
  // the one that asks for the metrics is in flight itself
  const left = open.filter(([name, value]) => name !== 'lavit_requests_in_flight' || value > 1)
  return [
    {
      what: 'every request that a client waited for was answered, as it may be, and streams end once',
      found: `${counts.wrong.length} wrong`,
      holds: counts.wrong.length === 0
    },
    {
      what: 'the server has counted each answer, and as left no more than left',
      found: `${counted - gone} answers (${counts.answered()} came in), ${gone} left (of ${counts.left()})`,
      holds:
        counted - gone >= counts.answered() &&
        counted <= counts.answered() + counts.left() &&
        gone <= counts.left()
    },
    {
      what: 'nothing is left in flight',
      found: left.map(([name, value]) => `${name} ${value}`).join(', ') || 'all gauges at zero',
      holds: left.length === 0
    },
    {
      what: 'no engine was started again but those that were killed or hung',
      found: `${restarts} restarts, ${kills} killed, ${hangs} made to hang (${noticed} noticed)`,
      holds: restarts === kills + hangs && noticed === hangs
    },
    {
      what: `within ${readyWithin} s of each kill and each hang an engine is ready in its place`,
      found: `${tellNumber(longest)} s at the longest of ${injected.deaths.length}`,
      holds: longest <= readyWithin
    },
    {
      what: '/health/live: 99 % within 20 ms, all within 100 ms',
      found:
        `p99 ${tellNumber(p99)} ms, longest ${tellNumber(most)} ms of ${health.length}, ` +
        `${unhealthy} failed`,
      holds: p99 < 20 && most < 100 && unhealthy === 0
    },
    ...(['server', 'engine', 'decoders'] as const).map(role => {
      const { slope, noise } = slopeOf(watched.samples, role)
      return {
        what: `memory of the ${role} does not grow`,
        found: `${tellNumber(slope)} ± ${tellNumber(noise)} MiB in 1,000 requests`,
        holds: !(slope > noise)
      }
    }),
    { what: 'SIGTERM ends it with exit code 0', found: `exit code ${exitCode}`, holds: exitCode === 0 }
  ]
}

/** Requests of jobs and refusals that the server has counted; those of the watch itself are not. */
function countedBy (
  after: Map<string, number>,
  before: Map<string, number>,
  isMeant: (name: string) => boolean
): number {
  let sum = 0
  for (const [name, value] of after) {
    if (!name.startsWith('lavit_request_duration_seconds_count') || !/method="POST"/.test(name)) continue
    if (isMeant(name)) sum += value - (before.get(name) ?? 0)
  }
  return sum
}

/**
 * MiB in 1,000 requests, after the warm-up, of samples without garbage. The line goes through means of parts: pages
 * that an allocator holds now and then are held for minutes, so that neighbouring samples know of each other.
 */
function slopeOf (samples: Sample[], role: 'server' | 'engine' | 'decoders') {
  const last = samples.at(-1)?.minutes ?? 0
  const warm = samples.filter(({ minutes, isCollected }) => isCollected && minutes >= last * warmUpShare)
  const { slope, standardError } = lineThrough(
    Array.from({ length: parts }, (_, i) => {
      const part = warm.slice((warm.length * i) / parts, (warm.length * (i + 1)) / parts)
      return [meanOf(part.map(({ requests }) => requests / 1000)), meanOf(part.map(sample => sample[role]))]
    })
  )
  return { slope, noise: studentT * standardError, warm }
}

function meanOf (values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
