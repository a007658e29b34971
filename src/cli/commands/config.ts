/** lavit config: each setting, its value, and where it comes from. */
import type { Command } from 'commander'
import { exitCodes } from '../endings.ts'
import { attributeOf, type Sources } from '../options.ts'
import type { Output } from '../output.ts'
import { isObject, settings } from '../settings.ts'
import { alignColumns } from './models.ts'

type Row = { name: string; value: unknown; from: string }

/** `commands` are all but those of `lavit estimate`; of their options those are told that the file has. */
export async function config (command: Command, commands: readonly Command[], { file }: Sources, output: Output) {
  const rows: Row[] = settings.map(setting => ({
    ...rowOf(command, setting.name, setting.name, 'variable' in setting ? setting.variable : ''),
    ...('secret' in setting && command.opts()[setting.name] !== undefined && { value: '(not shown)' })
  }))
  for (const of of commands) {
    const values = file.values[of.name()]
    for (const name of isObject(values) ? Object.keys(values) : []) {
      const row = rowOf(of, name, `${of.name()}.${name}`, '')
      if (row.value !== undefined) rows.push(row)
    }
  }
  if (command.opts().json) for (const row of rows) await output.line(JSON.stringify(row))
  else {
    const cells = rows.map(({ name, value, from }) => [name, value === undefined ? '' : String(value), from])
    for (const line of alignColumns([...cells, ['config file', file.path, '']])) await output.line(line)
  }
  return exitCodes.ok

  function rowOf (of: Command, field: string, name: string, variable: string): Row {
    const attribute = attributeOf(field)
    const value: unknown = of.opts()[attribute]
    switch (of.getOptionValueSource(attribute)) {
      case 'cli':
        return { name, value, from: 'flag' }
      case 'env':
        return { name, value, from: variable }
      case 'config':
        return { name, value, from: 'file' }
      default:
        return { name, value, from: 'default' }
    }
  }
}
