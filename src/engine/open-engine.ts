/** Opens every graph of a model package on the device, and the batcher over them. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createBus, type Bus } from '../graphs/bus.ts'
import { createHeads } from '../graphs/heads.ts'
import { openDeviceMemory } from '../graphs/device-memory.ts'
import { createLanguageModel } from '../graphs/language-model.ts'
import { createPixelDecoder } from '../graphs/pixel-decoder.ts'
import { openSession, type Session } from '../graphs/session.ts'
import { createVisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { GraphName } from '../package/files.ts'
import { createBatcher } from './batcher.ts'
import type { CachePlace, FromEngine, ToEngine } from '../pipe/messages.ts'
import { storeShapeOf } from './device.ts'
import { openDeviceCache, type DeviceCache } from './device-cache.ts'
import { createSelfTest } from './self-test.ts'

/**
 * Which graph does not open: its file or its weights are missing or broken, or the device is missing. `cause` has the
 * runtime's words.
 */
export class GraphError extends Error {
  readonly graph: GraphName

  constructor (graph: GraphName, options: ErrorOptions) {
    super(`the graph ${graph} does not open`, options)
    this.graph = graph
  }
}

type Options = Extract<ToEngine, { kind: 'open' }>
type GraphOptions = Pick<Options, 'folder' | 'manifest' | 'device' | 'threads' | 'lacksHalf'>

const mostCompared = 64 * 2 ** 20 // bytes of a graph that is opened on the processor, too

/** Rejects with a GraphError. 0 threads are one for each core. */
export function openGraph (
  name: GraphName,
  { folder, manifest, device: wanted, threads, lacksHalf }: GraphOptions,
  bus?: Bus
): Promise<Session> {
  const { file, device: onDevice, half_nodes: halfNodes } = manifest.graphs[name]!
  const device = onDevice === 'cpu' ? 'cpu' : wanted
  const path = join(folder, device !== 'cpu' && typeof onDevice === 'object' ? onDevice.file : file)
  return openSession(path, {
    device,
    threads: threads || availableParallelism(),
    bus: device === 'cpu' ? undefined : bus,
    onProcessor: lacksHalf ? halfNodes : undefined
  }).catch(cause => {
    throw new GraphError(name, { cause })
  })
}

/** Rejects as `openGraph`. On another device than the processor first runs of small graphs are kept to be compared. */
export async function openEngine (
  options: Options,
  send: (message: FromEngine) => void,
  selfTest = createSelfTest()
) {
  const { manifest, device, slots, queueLimit, queueCost, prefixBytes } = options
  const bus = device === 'cpu' ? undefined : createBus()
  const open = async (name: GraphName) =>
    selfTest.watch(name, await openGraph(name, options, bus), { isKept: isKept(name) })
  const bytesOf = (name: GraphName) =>
    (manifest.graphs[name]?.data ?? []).reduce((sum, { bytes }) => sum + bytes, manifest.graphs[name]?.bytes ?? 0)
  const isKept = (name: GraphName) =>
    bus !== undefined && manifest.graphs[name]?.device !== 'cpu' && bytesOf(name) <= mostCompared
  const openOptional = (name: GraphName) => (manifest.graphs[name] === undefined ? undefined : open(name))
  const visualTokenizer = createVisualTokenizer(
    {
      vision: await open('vision'),
      tokenPredictor: await open('token_predictor'),
      mergerCodes: await open('merger_codes'),
      mergerEmbeddings: await open('merger_embeddings'),
      familiarity: await openOptional('familiarity')
    },
    manifest
  )
  const session = await open('language_model')
  const languageModel = createLanguageModel(session, manifest)
  const openMemory = () => openDeviceMemory({ device, threads: 1, bus })
  const cache: DeviceCache | undefined =
    bus && (await openDeviceCache(storeShapeOf(manifest, slots), session, languageModel, openMemory))
  const { store, pick } = cache && 'store' in cache ? cache : {}
  const heads = createHeads({ text: await open('text_head'), visual: await open('visual_head') }, manifest, pick)
  const pixelDecoder =
    manifest.pixel_decoder &&
    createPixelDecoder(
      {
        tokenizerDecoder: await open('tokenizer_decoder'),
        painter: await openOptional('painter'),
        denoiser: await openOptional('denoiser'),
        autoencoderDecoder: await openOptional('autoencoder_decoder')
      },
      manifest,
      manifest.pixel_decoder
    )
  const batcher = createBatcher({
    manifest,
    graphs: { visualTokenizer, languageModel, store, heads, pixelDecoder },
    limits: { slots, queueLimit, queueCost },
    prefixBytes,
    bus,
    send
  })
  const reason = cache && 'fault' in cache ? cache.fault : undefined
  const place: Partial<CachePlace> = bus ? { cache: store ? 'device' : 'host', reason } : {}
  return { ...batcher, place }
}
