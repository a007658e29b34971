/** The options of a command: those of its request, and the settings of every command. */
import { Option, type Command } from 'commander'
import { fieldsOf, type Field } from './document.ts'
import { wrongUsage } from './endings.ts'
import { jobs, type JobName } from './jobs.ts'
import type { OwnField } from './own-fields.ts'
import { isObject, settings, type ConfigFile, type Settings } from './settings.ts'
import { parseValue } from './values.ts'

type Env = Record<string, string | undefined>

/** Where an option's value can come from beside the command line. */
export type Sources = { env: Env; file: ConfigFile }

const placeholders = { integer: 'N', number: 'X', integers: 'N,N,…', text: 'TEXT', boolean: '' }

export function fieldsOfJob (job: JobName): Field[] {
  return fieldsOf(jobs[job].path, jobs[job].own)
}

/** Those of all tasks that a bulk job can do, each once, and the question. */
export function fieldsOfBulk (): Field[] {
  const fields = ([['caption', []], ['ask', ['question']], ['tokenize', []]] as const).flatMap(([job, more]) =>
    fieldsOf(jobs[job].path, jobs[job].own.filter(name => !more.some(other => other === name)))
  )
  const byName = new Map(fields.map(field => [field.name, field]))
  byName.delete('visual_tokens')
  return [...byName.values()]
}

/** Adds an option for each field, and takes what the configuration file has for a command of this name. */
export function addFields (command: Command, fields: Field[], { file }: Sources) {
  const values = file.values[command.name()]
  for (const field of fields) {
    addOption(command, field)
    const opposite = `--no-${flagOf(field.name).slice(2)}`
    if (field.kind === 'boolean') command.addOption(new Option(opposite, `the opposite of ${flagOf(field.name)}`))
    const where = `${file.path}: ${command.name()}.${field.name}`
    if (isObject(values)) take(command, field, values[field.name], where, 'config')
  }
}

/** Throws an Ending where the configuration file has other things than these fields for the command. */
export function checkFields (command: Command, fields: Field[], { file }: Sources) {
  const { [command.name()]: values = {} } = file.values
  const place = `${file.path}: ${command.name()}`
  if (!isObject(values)) throw wrongUsage(`${place} is no object`)
  const strange = Object.keys(values).find(name => !fields.some(field => field.name === name))
  if (strange !== undefined) throw wrongUsage(`${place}.${strange} is no option of lavit ${command.name()}`)
}

/** Adds the settings of every command; a variable stands above the configuration file. */
export function addSettings (command: Command, { env, file }: Sources) {
  for (const setting of settings) {
    addOption(command, setting)
    if (setting.kind === 'boolean') command.setOptionValueWithSource(setting.name, false, 'default') // unsaid in help
    take(command, setting, file.values[setting.name], `${file.path}: ${setting.name}`, 'config')
    if (!('variable' in setting)) continue
    take(command, setting, env[setting.variable]?.trim() || undefined, setting.variable, 'env')
  }
}

/** What a command line, variables and file say of the settings. */
export function readSettings (command: Command): Settings {
  return command.opts<Settings>()
}

/** The fields that were given, under their names in requests. */
export function readFields (command: Command, fields: Field[]): Record<string, unknown> {
  const values: Record<string, unknown> = command.opts()
  return Object.fromEntries(
    fields.map(({ name }) => [name, values[attributeOf(name)]]).filter(([, value]) => value !== undefined)
  )
}

/** Those of the fields that stand on the command line. */
export function namesGiven (command: Command, fields: Field[]): string[] {
  return fields.map(({ name }) => name).filter(name => command.getOptionValueSource(attributeOf(name)) === 'cli')
}

/** `--top-p` of `top_p`. */
export function flagOf (name: string) {
  return `--${name.toLowerCase().replaceAll('_', '-')}`
}

/** The name under which commander keeps the value. */
export function attributeOf (name: string) {
  return new Option(flagOf(name)).attributeName()
}

function addOption (command: Command, field: OwnField & { variable?: string }) {
  const { name, kind, choices, description, variable } = field
  const flag = flagOf(name)
  const value = field.value ?? (choices ? 'WORD' : placeholders[kind])
  const words = variable === undefined ? description : `${description} (or ${variable})`
  const option = new Option(kind === 'boolean' ? flag : `${flag} <${value}>`, words)
  if (kind !== 'boolean') option.argParser(text => parseValue(field, text, flag))
  if (field.default !== undefined) option.default(field.default)
  if (field.required) option.makeOptionMandatory()
  if (choices) option.argChoices = [...choices] // for completion; parseValue refuses
  command.addOption(option)
}

function take (command: Command, field: Field, value: unknown, where: string, source: 'config' | 'env') {
  if (value === undefined) return
  command.setOptionValueWithSource(attributeOf(field.name), parseValue(field, value, where), source)
}
