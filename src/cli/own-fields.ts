/** Options of commands that are no fields of requests. */
import type { Field } from './document.ts'

export type OwnField = Field & { value?: string; default?: unknown; required?: boolean }

const range = [1, 999_999] as const

export const fieldsOfOut: OwnField[] = [
  {
    name: 'out',
    kind: 'text',
    value: 'FILE',
    description: 'where to write, numbered where there are several; - is stdout'
  }
]

export const fieldsOfOverlay: OwnField[] = [
  {
    name: 'overlay',
    kind: 'text',
    value: 'FILE',
    description: 'write the picture there, its dropped patches dimmed, as PNG'
  }
]

export const ownFieldsOfBulk: OwnField[] = [
  {
    name: 'out',
    kind: 'text',
    value: 'FOLDER',
    required: true,
    description: 'where results and what is left to do are kept'
  },
  {
    name: 'do',
    kind: 'text',
    value: 'TASKS',
    default: 'caption',
    description: 'any of caption, ask and tokenize, with commas'
  },
  { name: 'shard_size', kind: 'integer', range, default: 1000, description: 'pictures that appear together' },
  { name: 'sidecars', kind: 'boolean', description: 'write each caption beside its picture, as .txt' },
  {
    name: 'shards_from',
    kind: 'text',
    value: 'WHERE',
    default: 'folder',
    description: 'folder, index of a Kubernetes Job, or nats://HOST of JetStream'
  },
  { name: 'creds', kind: 'text', value: 'FILE', description: 'credentials for NATS, a file of nsc (.creds)' },
  { name: 'completions', kind: 'integer', range, description: 'pods of the Job, for --shards-from index' },
  {
    name: 'hold',
    kind: 'integer',
    range,
    value: 'SECONDS',
    default: 60,
    description: 'how long a silent worker keeps its shard'
  },
  { name: 'at_once', kind: 'integer', range, description: 'shards that workers of NATS together hold (100)' }
]

export const fieldsOfBench: OwnField[] = [
  {
    name: 'job',
    kind: 'text',
    choices: ['caption', 'tokenize'],
    default: 'caption',
    description: 'caption or tokenize'
  },
  { name: 'seconds', kind: 'integer', range, default: 10, description: 'how long to measure' }
]

export const fieldsOfSign: OwnField[] = [
  { name: 'key', kind: 'text', value: 'FILE', required: true, description: 'Ed25519 private key (PEM)' }
]
