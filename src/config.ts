/** The environment, read once: a schema with a default and a sentence for each variable, and the frozen Config made of it. */
import { resolve } from 'node:path'
import envSchema from 'env-schema'
import { Type, type Static } from 'typebox'

/** Picture formats this server can be allowed to read. */
export const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'avif', 'svg'] as const
export type ImageFormat = typeof imageFormats[number]

export const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65535, description: 'Port to listen on; 0 takes a free one' }),
  LAVIT_MODELS: Type.String({ default: './models', description: 'Folder of model packages; relative to the package root' }),
  LAVIT_MODEL: Type.String({ default: 'lavit-mini', description: 'The default model, loaded at start' }),
  LAVIT_DEVICE: Type.Enum(['cpu', 'webgpu', 'cuda'], { default: 'cpu', description: 'Device of the engines: `cpu`, `webgpu` or `cuda`' }),
  LAVIT_THREADS: Type.Integer({ default: 0, minimum: 0, description: 'CPU threads of each engine; 0 takes one for each core' }),
  LAVIT_SLOTS: Type.Integer({ default: 16, minimum: 1, maximum: 1024, description: 'Sequences that one engine runs at a time' }),
  LAVIT_QUEUE_LIMIT: Type.Integer({ default: 64, minimum: 1, description: 'Requests that may wait or run in one engine' }),
  LAVIT_QUEUE_COST: Type.Integer({ default: 1_000_000, minimum: 1, description: 'Cost that may wait or run in one engine, in tokens and in paint steps by picture area' }),
  LAVIT_MAX_IMAGE_BYTES: Type.Integer({ default: 10_485_760, minimum: 1, description: 'Bytes of one picture' }),
  LAVIT_MAX_IMAGE_PIXELS: Type.Integer({ default: 40_000_000, minimum: 1, description: 'Pixels of one picture, read from its header before decoding' }),
  LAVIT_IMAGE_FORMATS: Type.String({ default: 'png,jpeg,webp,gif,avif', pattern: `^(${imageFormats.join('|')})(,(${imageFormats.join('|')}))*$`, description: 'Formats of pictures that are read, told by their content; `svg` may be added' }),
  LAVIT_MAX_PROMPT_CHARACTERS: Type.Integer({ default: 4000, minimum: 1, description: 'Characters of all texts of one prompt or question' }),
  LAVIT_MEMORY_BUDGET_MB: Type.Integer({ default: 0, minimum: 0, description: 'Memory for loaded models in MiB; the least recently used goes first; 0 is no limit' }),
  LAVIT_GRACE_MS: Type.Integer({ default: 10_000, minimum: 0, description: 'Time that running work has to finish when the server is told to stop' }),
  LAVIT_ADMIN_KEY: Type.Optional(Type.String({ minLength: 16, description: 'Key for loading and unloading models (`Authorization: Bearer`); unset switches these routes off' })),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', description: 'Lines below this level are not logged' })
})

/** Reads and checks the environment. Throws with the name of the wrong variable. */
export function readConfig (environment: Record<string, string | undefined>, root: string) {
  const values = envSchema<Static<typeof Environment>>({ schema: Environment, data: environment, env: false })
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    modelsFolder: resolve(root, values.LAVIT_MODELS),
    defaultModel: values.LAVIT_MODEL,
    device: values.LAVIT_DEVICE,
    threads: values.LAVIT_THREADS,
    slots: values.LAVIT_SLOTS,
    queueLimit: values.LAVIT_QUEUE_LIMIT,
    queueCost: values.LAVIT_QUEUE_COST,
    maxImageBytes: values.LAVIT_MAX_IMAGE_BYTES,
    maxImagePixels: values.LAVIT_MAX_IMAGE_PIXELS,
    imageFormats: values.LAVIT_IMAGE_FORMATS.split(',') as ImageFormat[],
    maxPromptCharacters: values.LAVIT_MAX_PROMPT_CHARACTERS,
    memoryBudgetMb: values.LAVIT_MEMORY_BUDGET_MB,
    graceMs: values.LAVIT_GRACE_MS,
    adminKey: values.LAVIT_ADMIN_KEY,
    logLevel: values.LOG_LEVEL
  })
}

export type Config = ReturnType<typeof readConfig>
