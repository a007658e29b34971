/** Results as tables in Markdown. */
import type { Head } from './record.ts'
import { nameOf, type Result } from './rounds.ts'
import { spreadOf } from './statistics.ts'

/** Results of loads, and sections of what else was measured. */
export type Measured = { results: Result[]; sections: string[] }

/** `cutOff`: by what, where not all was measured; runs that had not come to their end are left out. */
export function tellReport (head: Head, loadAtEnd: string, { results, sections }: Measured, cutOff?: string): string {
  const done = results.filter(({ rounds }) => rounds.length > 0)
  return [
    tellHead(head, loadAtEnd),
    ...(cutOff === undefined ? [] : [`**Cut off** by ${cutOff}: what had not come to its end by then is left out.`]),
    ...(done.length > 0 ? [tellResults(done), ...faultsOf(done)] : []),
    ...sections
  ].join('\n\n') + '\n'
}

export function tellHead (head: Head, loadAtEnd: string): string {
  return [
    `${head.date}, commit ${head.commit}, Node ${head.node}`,
    `${head.processor}, ${head.cores} cores, ${head.memoryGiB} GiB, ${head.system}`,
    `load average ${head.loadAverage} at the start, ${loadAtEnd} at the end`,
    `\`npm run bench -- ${head.arguments}\``
  ].map(line => `- ${line}`).join('\n')
}

/** Medians of the rounds, with the least and the most of the rate; ratios are of the same round of the first server. */
export function tellResults (results: Result[]): string {
  const servers = new Set(results.map(({ server }) => server))
  const [first = ''] = servers
  const rows = results.map(result => {
    const { setting, server, rounds, agreement } = result
    const sum = (of: (round: Result['rounds'][number]) => number) => rounds.reduce((all, round) => all + of(round), 0)
    const base = results.find(other => other.setting === setting && other.server === first)
    return {
      job: setting.job,
      tokens: setting.kept === undefined ? 'any' : String(setting.kept),
      load: 'clients' in setting ? `${setting.clients} clients` : `${setting.rate}/s`,
      ...(servers.size > 1 && { server }),
      'a second': tellSpread(rounds.map(({ perSecond }) => perSecond)),
      'p50 ms': tellMedian(rounds.map(({ p50 }) => p50)),
      'p99 ms': tellMedian(rounds.map(({ p99 }) => p99)),
      ...(servers.size > 1 && {
        [`times ${first}`]: base === undefined ? '' : tellRatio(result, base),
        'same answer': Number.isNaN(agreement) ? '' : `${Math.round(agreement * 100)} %`
      }),
      requests: String(sum(({ count }) => count)),
      'failed, wrong': `${sum(({ failed }) => failed)}, ${sum(({ wrong }) => wrong)}`
    }
  })
  return table(rows)
}

export function table (rows: { [column: string]: string }[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(row => line(columns.map(name => row[name] ?? '')))]
    .join('\n')
}

export function tellSpread (values: number[]): string {
  const { median, least, most } = spreadOf(values)
  return `${tellNumber(median)} (${tellNumber(least)} to ${tellNumber(most)})`
}

/** Of the rounds in which anything was answered. */
function tellMedian (values: number[]): string {
  return tellNumber(spreadOf(values.filter(Number.isFinite)).median)
}

/** Three digits. */
export function tellNumber (value: number): string {
  if (!Number.isFinite(value)) return ''
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

/**
 * What went wrong, for the exit code: answers that differ from the solo ones, and no answer at all. Refusals are told,
 * but may be sought.
 */
export function faultsOf (results: Result[]): string[] {
  return results.flatMap(({ setting, server, rounds }) => {
    const sum = (name: 'count' | 'failed' | 'wrong') => rounds.reduce((all, round) => all + round[name], 0)
    const [count, failed, wrong] = [sum('count'), sum('failed'), sum('wrong')]
    if (count === failed) return [`${server}: none of ${count} requests of ${nameOf(setting)} was answered`]
    return wrong === 0 ? [] : [`${server}: ${wrong} answers of ${nameOf(setting)} differ from the solo ones`]
  })
}

function tellRatio ({ rounds }: Result, base: Result): string {
  return tellNumber(spreadOf(rounds.map(({ perSecond }, i) => perSecond / (base.rounds[i]?.perSecond ?? NaN))).median)
}
