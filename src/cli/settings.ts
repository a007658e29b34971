/** What every command takes beside the options of its job, and where each value comes from. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isCode } from '../bulk/files.ts'
import { clientVariables } from '../config/client-variables.ts'
import type { Field } from './document.ts'
import { messageOf, wrongUsage } from './endings.ts'

type Setting = Field & { variable?: string; default?: unknown; value?: string; secret?: boolean }

export const settings = [
  {
    name: 'url',
    kind: 'text',
    variable: clientVariables.url,
    value: 'URL',
    description: 'Server to ask; without one the model runs in this process'
  },
  {
    name: 'key',
    kind: 'text',
    variable: clientVariables.key,
    value: 'KEY',
    secret: true,
    description: 'Key for the server; others on this machine can read a flag, but no variable'
  },
  {
    name: 'in_flight',
    kind: 'integer',
    variable: clientVariables.inFlight,
    value: 'N',
    default: 8,
    range: [1, 999_999],
    description: 'Requests at a time'
  },
  {
    name: 'color',
    kind: 'text',
    variable: clientVariables.color,
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    description: 'Colours; `auto` has them on a terminal, unless NO_COLOR is set'
  },
  { name: 'json', kind: 'boolean', description: 'Write one line of JSON for each item' },
  { name: 'quiet', kind: 'boolean', description: 'No progress and no warnings' }
] as const satisfies Setting[]

export type Settings = {
  url?: string
  key?: string
  inFlight: number
  color: 'auto' | 'always' | 'never'
  json: boolean
  quiet: boolean
}

/** Values of the configuration file: settings, and for each command an object of its options. */
export type ConfigFile = { path: string; values: Record<string, unknown> }

/** A file that is absent says nothing. Throws an Ending where it cannot be read, or is not an object of JSON. */
export function readConfigFile (env: Record<string, string | undefined>): ConfigFile {
  const path = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'lavit', 'config.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return { path, values: {} }
    throw wrongUsage(`${path}: ${messageOf(error)}`)
  }
  return { path, values: parseObject(text, path) }
}

function parseObject (text: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrongUsage(`${path}: it is not JSON`)
  }
  if (!isObject(value)) throw wrongUsage(`${path}: it is no object`)
  return value
}

export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
