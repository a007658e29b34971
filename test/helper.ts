/** The app on a fake registry, the fake model behind it, and a small picture. */
import type { FastifyBaseLogger } from 'fastify'
import type { Test } from 'tap'
import sharp from 'sharp'
import { createLoad, type Load } from '../src/admission/load.ts'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import type { Course } from '../src/pipe/messages.ts'
import type { PaintedPicture, ResultOf, Work } from '../src/pipe/work.ts'
import { ServerError } from '../src/errors.ts'
import type { Fetching } from '../src/fetching/fetching.ts'
import { createMetrics } from '../src/metrics.ts'
import type { SubmitOptions } from '../src/pipe/engine-client.ts'
import type { Manifest } from '../src/package/manifest.ts'
import type { DeviceState } from '../src/schemas/devices.ts'
import type { Registry } from '../src/registry/registry.ts'
import type { Tracing } from '../src/tracing/tracing.ts'
import { file, manifest } from './fixtures/manifest.ts'

/** A device as the registry tells of it. */
export const host: DeviceState = {
  id: 'cpu',
  kind: 'cpu',
  name: 'a processor',
  driver: null,
  is_software: false,
  memory_bytes: 1000,
  largest_buffer_bytes: null,
  f16: null,
  fault: null,
  budget_bytes: 900,
  used_bytes: 100,
  free_bytes: 800,
  models: ['lavit-mini'],
  engines: 2
}

/** Each character is a token: a text of ids below 128, and whatever else falls away. */
const textCodec = {
  encode: (text: string) => [...text].map(character => character.codePointAt(0)! % 128),
  decode: (ids: number[]) => String.fromCodePoint(...ids)
}

type Submit = (work: Work, options: SubmitOptions) => Promise<ResultOf[Work['task']]>
type Overrides = {
  model?: Manifest
  submit?: Submit
  load?: Load
  state?: () => string
  registry?: Partial<Registry>
  environment?: Record<string, string>
  log?: FastifyBaseLogger
  fetching?: Fetching | undefined
  playground?: string | undefined
  tracing?: Tracing
}

/** Answers of a model that keeps the first three patches and says ` two cats `. */
export const answerWork: Submit = async work => {
  switch (work.task) {
    case 'tokenize':
      return {
        codes: [7, 8, 9],
        keepMask: Array.from({ length: 16 }, (_, patch) => patch < 3),
        keepProbabilities: Array.from({ length: 16 }, (_, patch) => (patch < 3 ? 0.9 : 0.1))
      }
    case 'text':
      return {
        sequences: Array.from({ length: work.n }, (_, i) => ({
          ids: textCodec.encode(' two cats '),
          logProbability: -1 - i,
          finishReason: 'stop' as const
        })),
        visualTokens: 3,
        promptTokens: 0
      }
    case 'generate':
      return {
        pictures: Array.from({ length: work.n }, (_, i) => paint(work.painting, i)),
        visualTokens: work.segments.filter(({ kind }) => kind === 'codes').length * 3,
        promptTokens: 0
      }
    case 'detokenize':
      return { pictures: [{ ...paint(work.painting, 0), codes: work.codes }], visualTokens: 0, promptTokens: 0 }
  }
}

function paint ({ width, height, seed }: { width: number; height: number; seed: number }, i: number): PaintedPicture {
  return { pixels: new Uint8Array(width * height * 3).fill(200), width, height, seed: seed + i, codes: [1, 2, 3] }
}

/** Of a prompt that is read at once and two tokens after the first. */
function courseOf ({ task }: Work): Course {
  const painted = { paint: { from: 10, to: 15, units: 1 } }
  if (task === 'tokenize') return { ms: 3, phases: { encode: { from: 1, to: 3, units: 1 } }, kept: [3] }
  if (task === 'detokenize') return { ms: 15, phases: painted, kept: [] }
  const drawn = { prefill: { from: 3, to: 6, units: 1 }, decode: { from: 6, to: 10, units: 2 } }
  return { ms: 15, phases: { ...drawn, ...(task === 'generate' && painted) }, kept: [] }
}

/** The app, closed when the test ends, and what it did: works submitted, loans open, calls of the registry. */
export async function buildTestApp (
  t: Test,
  {
    model = manifest,
    submit = answerWork,
    load = createLoad({ engines: 1, queueLimit: 1e6, queueCost: 1e9, clientShare: 1 }),
    state = () => 'ready',
    registry: overrides = {},
    environment = {},
    log,
    fetching,
    playground,
    tracing
  }: Overrides = {}
) {
  const seen = { works: [] as Work[], options: [] as SubmitOptions[], loans: 0, calls: [] as string[] }
  const summary = () => ({
    name: 'lavit-mini',
    family: 'lavit',
    version: '1.0.0',
    state: state(),
    device: 'cpu',
    placement: { wanted: 'cpu', device: 'cpu', host_bytes: 100, device_bytes: 0, reason: null }
  })
  const find = (name: string) => {
    if (name !== 'lavit-mini') throw new ServerError('model_not_found', 'There is no such model')
  }
  const registry = {
    defaultModel: 'lavit-mini',
    list: () => [summary()],
    canTakeWork: () => state() === 'ready',
    tellDevices: () => [host],
    listDevices: async () => [host],
    describe (name: string) {
      find(name)
      return {
        ...summary(),
        detail: null,
        limits: {
          image_size: 16,
          grid: manifest.image.grid,
          min_visual_tokens: 1,
          codebook_size: 100,
          max_length: 100,
          sizes: ['8x8'],
          max_steps: 50
        },
        tasks: manifest.tasks,
        digests: { 'x.onnx': file.sha256 },
        quality: manifest.quality,
        concepts: manifest.concepts
      }
    },
    async acquire (name = 'lavit-mini', _signal: AbortSignal, client: string) {
      find(name)
      seen.loans++
      const hold = load.hold(client)
      return {
        manifest: model,
        text: textCodec,
        admit: () => hold.take(1),
        async submit (work: Work, options: SubmitOptions) {
          seen.works.push(work)
          seen.options.push(options)
          options.onPlaced?.({ ahead: 2, beside: 3 })
          options.onTaken?.({ ahead: 2, startMs: 7.25 })
          return {
            result: await submit(work, options),
            timings: { start: 1, queue: 1, encode: 2, prefill: 3, decode: 4, paint: 5 },
            course: courseOf(work)
          }
        },
        release () {
          seen.loans--
          hold.end()
        }
      }
    },
    look (name = 'lavit-mini') {
      find(name)
      return { manifest: model, text: textCodec, place: () => ({ ahead: 0, beside: 0 }) }
    },
    async load (name: string) {
      find(name)
      seen.calls.push(`load ${name}`)
    },
    async unload (name: string) {
      find(name)
      seen.calls.push(`unload ${name}`)
    },
    async close () {
      seen.calls.push('close')
    },
    ...overrides
  } as unknown as Registry
  const metrics = createMetrics()
  const app = await buildApp({
    config: readConfig({ LAVIT_GRACE_MS: '100', ...environment }, '/'),
    registry,
    metrics,
    version: '0.1.0',
    playground,
    ...(log && { log }),
    ...(fetching && { fetching }),
    ...(tracing && { tracing })
  })
  t.teardown(() => app.close())
  return Object.assign(app, { seen, metrics })
}

/** A red PNG, 20 by 10. */
export const png = await sharp({ create: { width: 20, height: 10, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()
export const base64 = png.toString('base64')

/** A multipart body of fields in order; a Buffer is a file. */
export function form (fields: [name: string, value: string | Buffer][]) {
  const boundary = 'x-boundary'
  const parts = fields.map(([name, value]) =>
    Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"` +
          `${typeof value === 'string' ? '' : '; filename="a.png"\r\nContent-Type: image/png'}\r\n\r\n`
      ),
      Buffer.from(value),
      Buffer.from('\r\n')
    ])
  )
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    payload: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  }
}
