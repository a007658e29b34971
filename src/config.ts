/**
 * The environment, read once: a schema with a default and a sentence for each variable, and the frozen Config made of
 * it.
 */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { closestMatch } from 'leven'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'

/** Picture formats this server can be allowed to read. */
export const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'avif', 'svg'] as const
export type ImageFormat = (typeof imageFormats)[number]

const trustedProxies =
  'true, false, a number of proxies, or a list with commas of addresses, networks such as 10.0.0.0/8, loopback, ' +
  'linklocal, uniquelocal'

/** `allowed` says what a pattern allows, in words; a `secret` value is never shown. */
export const Environment = Type.Object({
  HOST: Type.String({
    default: '127.0.0.1',
    pattern: '^\\S+$',
    allowed: 'an address or a name of this machine',
    description: 'Address to listen on'
  }),
  PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 takes a free one'
  }),
  LAVIT_MODELS: Type.String({
    default: './models',
    allowed: 'a folder that can be read',
    description: 'Folder of model packages; relative to the package root'
  }),
  LAVIT_MODEL: Type.String({
    default: 'lavit-mini',
    allowed: 'the name of a model package',
    description: 'The default model, loaded at start'
  }),
  LAVIT_DEVICE: Type.Enum(['cpu', 'webgpu', 'cuda'], {
    default: 'cpu',
    description: 'Device of the engines: `cpu`, `webgpu` or `cuda`'
  }),
  LAVIT_ENGINES: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 256,
    description: 'Engine processes of each model; 0 takes as many as the cores have room for'
  }),
  LAVIT_ENGINE_TIMEOUT_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 3_600_000,
    description:
      'An engine that says nothing for so long is taken for hung, killed and started again; 0 takes 3 s, or 20 times ' +
      'its longest unit of work where that is more'
  }),
  LAVIT_THREADS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1024,
    description:
      'CPU threads of each engine; 0 shares the cores among the engines, or takes one where their number is left to ' +
      'the cores'
  }),
  LAVIT_SLOTS: Type.Integer({
    default: 16,
    minimum: 1,
    maximum: 1024,
    description: 'Sequences that one engine runs at a time'
  }),
  LAVIT_QUEUE_LIMIT: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests that may wait or run in one engine'
  }),
  LAVIT_QUEUE_COST: Type.Integer({
    default: 1_000_000,
    minimum: 1,
    maximum: 1_000_000_000_000,
    description: 'Cost that may wait or run in one engine, in tokens and in paint steps by picture area'
  }),
  LAVIT_MAX_IMAGE_BYTES: Type.Integer({
    default: 10_485_760,
    minimum: 1,
    maximum: 268_435_456,
    description: 'Bytes of one picture'
  }),
  LAVIT_MAX_UPLOAD_BYTES: Type.Integer({
    default: 41_943_040,
    minimum: 1,
    maximum: 1_073_741_824,
    description: 'Bytes of all pictures of one request together, in whatever form they come'
  }),
  LAVIT_MAX_IMAGE_PIXELS: Type.Integer({
    default: 40_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description: 'Pixels of one picture, read from its header before decoding'
  }),
  LAVIT_IMAGE_FORMATS: Type.Array(Type.Enum([...imageFormats]), {
    default: ['png', 'jpeg', 'webp', 'gif', 'avif'],
    description: 'Formats of pictures that are read, told by their content; `svg` may be added'
  }),
  LAVIT_MAX_PROMPT_CHARACTERS: Type.Integer({
    default: 4000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Characters of all texts of one prompt or question'
  }),
  LAVIT_MEMORY_BUDGET_MB: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16_777_216,
    description: 'Memory for loaded models in MiB; the least recently used goes first; 0 is no limit'
  }),
  LAVIT_SSE_KEEPALIVE_MS: Type.Integer({
    default: 15_000,
    minimum: 1,
    maximum: 3_600_000,
    description: 'Longest silence of a streamed answer, then a comment line keeps the connection'
  }),
  LAVIT_GRACE_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    maximum: 86_400_000,
    description: 'Time that running work has to finish when the server is told to stop; a day at most'
  }),
  LAVIT_ADMIN_KEY: Type.Optional(
    Type.String({
      pattern: '^[!-~]{16,}$',
      secret: true,
      allowed: 'at least 16 visible ASCII characters',
      description: 'Key for loading and unloading models (`Authorization: Bearer`); unset switches these routes off'
    })
  ),
  LAVIT_CORS_ORIGINS: Type.Array(
    Type.String({ pattern: '^(\\*|https?://[^/?#\\s,]+)$', allowed: '* or origins such as https://example.org' }),
    {
      default: [],
      description: 'Origins whose pages may call the server from a browser; `*` is all of them, none is the default'
    }
  ),
  LAVIT_TRUST_PROXY: Type.Optional(
    Type.String({
      allowed: trustedProxies,
      description:
        'Proxies whose `X-Forwarded-*` headers are believed: `true` for any, how many stand before the server, or ' +
        'their addresses and networks with commas; unset believes none'
    })
  ),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Lines below this level are not logged'
  })
})

/** What of a variable's schema is looked at here. */
type Variable = {
  type?: string
  enum?: readonly string[]
  items?: Variable
  default?: unknown
  minimum?: number
  maximum?: number
  allowed?: string
  secret?: boolean
}

const variables: [name: string, schema: Variable][] = Object.entries(Environment.properties)

/** What keeps the process from starting, in words for its operator, and the exit code that goes with it. */
export class StartError extends Error {
  readonly exitCode: number

  constructor (message: string, exitCode = 78) {
    // EX_CONFIG of sysexits.h
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Reads and checks the environment; an empty value is none. Throws a StartError with a line for each wrong variable.
 */
export function readConfig (environment: Record<string, string | undefined>, root: string) {
  const values = readVariables(environment)
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    modelsFolder: resolve(root, values.LAVIT_MODELS),
    defaultModel: values.LAVIT_MODEL,
    device: values.LAVIT_DEVICE,
    engines: values.LAVIT_ENGINES,
    engineTimeoutMs: values.LAVIT_ENGINE_TIMEOUT_MS,
    threads: values.LAVIT_THREADS,
    slots: values.LAVIT_SLOTS,
    queueLimit: values.LAVIT_QUEUE_LIMIT,
    queueCost: values.LAVIT_QUEUE_COST,
    maxImageBytes: values.LAVIT_MAX_IMAGE_BYTES,
    maxUploadBytes: values.LAVIT_MAX_UPLOAD_BYTES,
    maxImagePixels: values.LAVIT_MAX_IMAGE_PIXELS,
    imageFormats: values.LAVIT_IMAGE_FORMATS,
    maxPromptCharacters: values.LAVIT_MAX_PROMPT_CHARACTERS,
    memoryBudgetMb: values.LAVIT_MEMORY_BUDGET_MB,
    sseKeepAliveMs: values.LAVIT_SSE_KEEPALIVE_MS,
    graceMs: values.LAVIT_GRACE_MS,
    adminKey: values.LAVIT_ADMIN_KEY,
    corsOrigins: values.LAVIT_CORS_ORIGINS,
    trustProxy: readTrustProxy(values.LAVIT_TRUST_PROXY),
    logLevel: values.LOG_LEVEL
  })
}

export type Config = ReturnType<typeof readConfig>

/** The error for a variable whose value cannot work; `allowed` in place of what its schema says. */
export function refuse (name: keyof typeof Environment.properties, value: unknown, allowed?: string) {
  return new StartError(tellRefusal(name, Environment.properties[name], value, allowed))
}

/** A warning for each variable that looks like one of this server's and is none. */
export function findUnknownVariables (environment: Record<string, string | undefined>): string[] {
  const known = Object.keys(Environment.properties)
  return Object.keys(environment)
    .filter(name => /^lavit_/i.test(name) && !known.includes(name))
    .map(name => `${name} is no variable of this server; the nearest is ${closestMatch(name.toUpperCase(), known)}`)
}

/** As Fastify wants it. */
function readTrustProxy (value = 'false'): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  if (/^\d{1,3}$/.test(value)) return (_address, hop) => hop < Number(value)
  const proxies = value.split(',').map(proxy => proxy.trim())
  if (!proxies.every(isProxy)) throw refuse('LAVIT_TRUST_PROXY', value)
  return proxies
}

function isProxy (text: string) {
  const [address = '', bits, more] = text.split('/')
  if (bits === undefined) return ['loopback', 'linklocal', 'uniquelocal'].includes(text) || isIP(address) > 0
  return (
    more === undefined &&
    isIP(address) > 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (isIP(address) === 4 ? 32 : 128)
  )
}

function readVariables (environment: Record<string, string | undefined>): Static<typeof Environment> {
  const values: Record<string, unknown> = {}
  const refusals: string[] = []
  for (const [name, schema] of variables) {
    const text = environment[name]?.trim() ?? ''
    const value = text === '' ? schema.default : parse(schema, text)
    if (value === undefined) continue
    if (Value.Check(schema, value)) values[name] = value
    else refusals.push(tellRefusal(name, schema, text))
  }
  if (refusals.length > 0) throw new StartError(refusals.join('\n'))
  Value.Assert(Environment, values)
  return values
}

/**
 * Decimal digits become a number, words of a list lower case; what does not fit stays text, and is refused by the
 * schema.
 */
function parse ({ type, enum: words, items }: Variable, text: string): unknown {
  if (items) return text.split(',').map(item => parse(items, item.trim()))
  if (type === 'integer') return /^\d+$/.test(text) ? Number(text) : text
  return words ? text.toLowerCase() : text
}

function tellRefusal (name: string, schema: Variable, value: unknown, allowed = tellAllowed(schema)) {
  return `${name}${schema.secret ? ' (not shown)' : `=${JSON.stringify(value)}`} is not allowed; allowed is ${allowed}`
}

function tellAllowed ({ enum: words, items, minimum, maximum, allowed }: Variable): string {
  if (items) return `a list with commas of ${tellAllowed(items)}`
  if (words) return words.join(', ')
  return allowed ?? `a whole number from ${minimum} to ${maximum}`
}
