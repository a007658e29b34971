/** How far what `/estimate` and the headers say lies from what then happens, over the mixed load. */
import { callsOf, interleaved, jobs } from './jobs.ts'
import { closedLoop } from './load.ts'
import { makePictures } from './pictures.ts'
import { table, tellNumber } from './report.ts'
import { turned, type Plan } from './rounds.ts'
import { percentile } from './statistics.ts'
import type { Answer, Call, Target } from './target.ts'

const clients = [1, 16]
const shortMs = 3 // of waits that are told apart, since a share of so little says little
const count = 120 // pictures, each sent once in a while

/**
 * Shares: |said - happened| / happened. `begin` is `start_seconds`, from the request's arrival on, `start` the header,
 * from the engine being given it, which came to `startMs`. `ms` is what the estimate itself took.
 */
type Miss = {
  job: string
  ms: number
  seconds: number
  tokens: number
  begin: number
  start: number
  startMs: number
  startOffMs: number
  told: object
  happened: object
}

/** The section of the report: each request is estimated, then sent. */
export async function measureEstimates (
  target: Target,
  { duration, record }: Pick<Plan, 'duration' | 'record'>
): Promise<string> {
  const pictures = await makePictures(count)
  const single = jobs.filter(job => job !== 'mixed')
  // no job gets the picture that another has just had
  const calls = interleaved(single.map((job, i) => callsOf(job, turned(pictures, (i * count) / single.length))))
  const rows: { [column: string]: string }[] = []
  for (const many of clients) {
    const misses: Miss[] = []
    const from = performance.now()
    const ask = async (i: number) => {
      const call = calls[i % calls.length]
      if (call === undefined) throw new Error('there is nothing to ask')
      const miss = await missOf(target, call)
      record.write({ clients: many, ...miss })
      if (performance.now() - from > 1000 * duration.warmUp) misses.push(miss)
      return { status: 200, isSame: true }
    }
    await closedLoop(ask, many, elapsed => elapsed < 1000 * (duration.warmUp + duration.seconds))
    const asked = [...new Set(misses.map(({ job }) => job))].sort()
    rows.push(...['all', ...asked].map(job => row(job, many, misses)))
  }
  return [
    'What `/estimate` and the headers say beside what happens, medians of |said - happened| / happened:',
    table(rows)
  ].join('\n\n')
}

function row (name: string, many: number, misses: Miss[]) {
  const told = misses.filter(({ job }) => name === 'all' || job === name)
  const waited = told.filter(({ startMs }) => startMs > shortMs)
  const median = (of: (miss: Miss) => number, among = told) => percentile(among.map(of), 0.5)
  const share = (of: (miss: Miss) => number, among = told) =>
    among.length === 0 ? '' : `${tellNumber(100 * median(of, among))} %`
  return {
    clients: String(many),
    job: name,
    seconds: share(miss => miss.seconds),
    tokens: share(miss => miss.tokens),
    begin: share(miss => miss.begin),
    'start, by header': share(miss => miss.start),
    'off, ms': tellNumber(median(miss => miss.startOffMs)),
    'of, ms': tellNumber(median(miss => miss.startMs)),
    [`over ${shortMs} ms`]: share(miss => miss.start, waited),
    'are so': `${tellNumber((100 * waited.length) / told.length)} %`,
    'estimate takes, ms': tellNumber(median(({ ms }) => ms)),
    requests: String(told.length)
  }
}

async function missOf (target: Target, call: Call): Promise<Miss> {
  const body = Buffer.from(JSON.stringify(estimateOf(call)))
  const asked = performance.now()
  const told = parsed(await target.ask({ path: '/estimate', type: 'application/json', body }))
  const sent = performance.now()
  const answer = await target.ask(call)
  const seconds = (performance.now() - sent) / 1000
  const happened = parsed(answer)
  const timing = String(answer.headers['server-timing'])
  const beginMs = stageOf(timing, 'begin')
  const startMs = stageOf(timing, 'start')
  const headerMs = Number(answer.headers['x-expected-start-ms'])
  return {
    job: told.job,
    ms: sent - asked,
    seconds: missed(told.seconds, seconds),
    tokens: missed(tokensOf(told.usage), tokensOf(happened.usage)),
    begin: missed(1000 * told.start_seconds, beginMs),
    start: missed(headerMs, startMs),
    startMs,
    startOffMs: Math.abs(headerMs - startMs),
    told: { ...told, startMs: headerMs },
    happened: { seconds, usage: happened.usage, timing }
  }
}

/** The body of `/estimate` for a call: a picture itself with its options in the query, or JSON. */
function estimateOf ({ path, type, body }: Call): object {
  const { pathname, searchParams } = new URL(path, 'http://localhost')
  const job = pathname.slice(1)
  if (type === 'application/json') return { job, request: JSON.parse(Buffer.from(body).toString()) }
  const valueOf = (text: string) => (isNaN(Number(text)) ? text : Number(text))
  const options = Object.fromEntries([...searchParams].map(([name, text]) => [name, valueOf(text)]))
  return { job, request: { image: Buffer.from(body).toString('base64'), ...options } }
}

function parsed ({ status, body }: Answer) {
  if (status !== 200) throw new Error(`the server answers ${status}: ${body}`)
  return JSON.parse(body)
}

/** All that goes through the language model or is painted. */
function tokensOf (usage: { [name: string]: number }): number {
  const { visual_tokens: visual = 0, prompt_tokens: prompt = 0, completion_tokens: completion = 0 } = usage
  return visual + prompt + completion
}

/** Of `Server-Timing`, which tells tenths of a millisecond. */
function stageOf (timing: string, stage: string): number {
  const [, ms] = new RegExp(`\\b${stage};[^,]*dur=([\\d.]+)`).exec(timing) ?? []
  return Math.max(0.1, Number(ms))
}

function missed (said: number, happened: number): number {
  return Math.abs(said - happened) / happened
}
