/** lavit models: which there are, or one of them in full. */
import { answers } from '../answers.ts'
import { exitCodes, wrongUsage } from '../endings.ts'
import type { Session } from '../session.ts'

type List = ReturnType<typeof answers.models>

export async function models ({ settings, output, ask }: Session, name: string | undefined) {
  // no name asks for the list, and dots lead elsewhere
  if (/^\.{0,2}$/.test(name ?? 'all')) throw wrongUsage(`${JSON.stringify(name)} is no name of a model`)
  const path = name === undefined ? '/models' : `/models/${encodeURIComponent(name)}`
  const { body } = await ask({ path })
  const lines = name === undefined ? tellList(answers.models(body)) : tellDetails(answers.model(body))
  for (const line of settings.json ? [body.toString('utf8')] : lines) await output.line(line)
  return exitCodes.ok
}

/** Columns: name, version, state, device, and a mark for the default. */
function tellList ({ default: preferred, models }: List): string[] {
  const rows = models.map(({ name, version, state, device }) => [
    name,
    version,
    state,
    device,
    name === preferred ? 'default' : ''
  ])
  return alignColumns(rows)
}

function tellDetails (details: object): string[] {
  return alignColumns(
    Object.entries(details)
      .filter(([, value]) => value !== null && !Array.isArray(value))
      .map(([field, value]) => [field, typeof value === 'string' ? value : JSON.stringify(value)])
  )
}

/** Each column as wide as its widest cell. */
export function alignColumns (rows: string[][]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0))) ?? []
  return rows.map(row => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd())
}
