/** The report: every figure with its interval, as JSON with a record for each item, and as a table. */
import type { Figure } from './metrics/bootstrap.ts'
import type { Options } from './options.ts'
import type { ItemRecord, Outcome } from './tasks/run.ts'

export type Report = {
  task: string
  model: unknown
  data: Options['source']
  request: Record<string, unknown>
  seed: number
  failed: number
  figures: Record<string, Figure>
  records: ItemRecord[]
}

export function reportOf (
  { task, source, request, seed }: Options,
  about: Record<string, unknown>,
  { figures, records }: Outcome
): Report {
  const { name, family, version, device, digests, tasks } = about
  return {
    task,
    model: { name, family, version, device, digests, tasks },
    data: source,
    request,
    seed,
    failed: records.filter(({ error }) => error !== undefined).length,
    figures,
    records
  }
}

/** The report as JSON, one line for each record. */
export function textOf ({ records, ...rest }: Report): string {
  const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '')
  return `${head},\n  "records": [\n${records.map(record => `    ${JSON.stringify(record)}`).join(',\n')}\n  ]\n}\n`
}

/** One line for each figure: name, value, interval, samples. Below them what became of requests that failed. */
export function tableOf ({ figures, records }: Report): string {
  const rows = Object.entries(figures).map(([name, { value, low, high, samples }]) => [
    name,
    show(value),
    low === null ? '' : `${show(low)} to ${show(high)}`,
    String(samples)
  ])
  const lines = [['figure', 'value', '95 % interval', 'samples'], ...rows]
  const widths = [0, 1, 2, 3].map(column => Math.max(...lines.map(line => line[column]!.length)))
  const text = lines.map(line =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  )
  return [...text, ...failures(records)].join('\n')
}

function failures (records: ItemRecord[]): string[] {
  const failed = records.filter(({ error }) => error !== undefined)
  const [first] = failed
  if (first === undefined) return []
  const zeros = failed.filter(({ cider, accuracy }) => (cider ?? accuracy) === 0).length
  const counted = zeros > 0 ? `, ${zeros} of them count as 0` : ''
  const told = `${failed.length} of ${records.length} requests failed${counted}`
  return [`${told}; the first, of item ${first.id}: ${first.error}`]
}

function show (value: number | null): string {
  return value === null ? 'none' : Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1)
}
