/** Every variable of the server: a schema with a default and a sentence for each. */
import { Type } from 'typebox'
import { batchVariables } from './batch-variables.ts'
import { allowedDevices } from './devices.ts'
import { pictureVariables } from './picture-variables.ts'
import { traceVariables } from './trace-variables.ts'
import { trustedProxies } from './trust-proxy.ts'

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
  LAVIT_METRICS_PORT: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 65535,
    description: 'Port of a second listener for `/metrics` alone, without a key; unset leaves it beside the rest'
  })),
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
  LAVIT_PACKAGE_KEYS: Type.Array(Type.String({ minLength: 1, allowed: 'files of public keys' }), {
    default: [],
    description:
      'Files of Ed25519 public keys (PEM): a model package is served only where one of them has signed its manifest ' +
      '([docs/manifest.md](docs/manifest.md#signatures)); relative to the package root; none asks for no signature'
  }),
  LAVIT_DEVICE: Type.String({
    default: 'cpu',
    allowed: allowedDevices,
    description:
      'Devices of the engines in order, with commas: `cpu`, `webgpu` (any GPU), `webgpu:0`, `webgpu:1`, …; the first ' +
      'that can run a model has it. `auto` is any GPU, else the processor ([docs/devices.md](docs/devices.md))'
  }),
  LAVIT_DEVICE_BUDGET_MB: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16_777_216,
    description:
      'Memory for loaded models on each GPU in MiB; the least recently used goes first; 0 is nine tenths of what the ' +
      'device says it has'
  }),
  LAVIT_ENGINES: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 256,
    description:
      'Engine processes of each model; 0 takes as many as the cores, half of the memory and `LAVIT_MEMORY_BUDGET_MB` ' +
      'have room for, on a GPU one'
  }),
  LAVIT_ENGINE_TIMEOUT_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 3_600_000,
    description:
      'An engine that says nothing for so long is taken for hung, killed and started again; 0 takes 2.5 s, or 15 ' +
      'times its longest unit of work where that is more'
  }),
  LAVIT_THREADS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1024,
    description: 'CPU threads of each engine; 0 shares the cores among the engines'
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
  LAVIT_CLIENT_SHARE: Type.Number({
    default: 0.75,
    minimum: 0.01,
    maximum: 1,
    description:
      'Part of a queue, and of the memory for uploads, that one client (a key, else an address) may fill alone; ' +
      'several come to equal parts, and 1 is no bound'
  }),
  ...pictureVariables,
  LAVIT_MAX_PROMPT_CHARACTERS: Type.Integer({
    default: 4000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Characters of all texts of one prompt or question'
  }),
  LAVIT_IMAGE_CACHE_MB: Type.Integer({
    default: 64,
    minimum: 0,
    maximum: 16_777_216,
    description:
      'Memory in MiB for pictures that were seen: half of it for their encodings, which answers name by `image_ref` ' +
      'so that the pictures need not be sent again, half for what the language models read of them; 0 keeps none'
  }),
  LAVIT_MEMORY_BUDGET_MB: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16_777_216,
    description: 'Memory of the host for loaded models in MiB; the least recently used goes first; 0 is no limit'
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
  ...batchVariables,
  LAVIT_KEYS_FILE: Type.Optional(
    Type.String({
      allowed: 'a JSON file of keys',
      description:
        'JSON file of the keys that may use the server, read again when it changes ([docs/keys.md](docs/keys.md)); ' +
        'relative to the package root; unset leaves all but loading and unloading open'
    })
  ),
  LAVIT_ADMIN_KEY: Type.Optional(
    Type.String({
      pattern: '^[!-~]{16,}$',
      secret: true,
      allowed: 'at least 16 visible ASCII characters',
      description:
        'Key for loading and unloading models (`Authorization: Bearer`), beside those of `LAVIT_KEYS_FILE`; with ' +
        'neither these routes are switched off'
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
  ...traceVariables,
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Lines below this level are not logged'
  })
})
