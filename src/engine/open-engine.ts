/** Opens every graph of a model package on the device, and the batcher over them. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createLanguageModel } from '../graphs/language-model.ts'
import { createPixelDecoder } from '../graphs/pixel-decoder.ts'
import { openSession, type Device } from '../graphs/session.ts'
import { createVisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { GraphName } from '../registry/manifest.ts'
import { createBatcher } from './batcher.ts'
import type { FromEngine, ToEngine } from './messages.ts'

/** Rejects when a graph does not open, for instance because the device is missing. 0 threads are one for each core. */
export async function openEngine ({ folder, manifest, device, threads, slots, queueLimit, queueCost }: Extract<ToEngine, { kind: 'open' }>, send: (message: FromEngine) => void) {
  const open = (name: GraphName) => openSession(join(folder, manifest.graphs[name]!.file), { device: device as Device, threads: threads || availableParallelism() })
  const openOptional = (name: GraphName) => manifest.graphs[name] === undefined ? undefined : open(name)
  const visualTokenizer = createVisualTokenizer({
    vision: await open('vision'),
    mergerCodes: await open('merger_codes'),
    mergerEmbeddings: await open('merger_embeddings')
  }, manifest)
  const languageModel = createLanguageModel(await open('language_model'), manifest)
  const pixelDecoder = createPixelDecoder({
    tokenizerDecoder: await open('tokenizer_decoder'),
    painter: await openOptional('painter'),
    denoiser: await openOptional('denoiser'),
    autoencoderDecoder: await openOptional('autoencoder_decoder')
  }, manifest)
  return createBatcher({ manifest, graphs: { visualTokenizer, languageModel, pixelDecoder }, limits: { slots, queueLimit, queueCost }, send })
}
