/** Opens every graph of a model package on the device, and the batcher over them. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createHeads } from '../graphs/heads.ts'
import { createLanguageModel } from '../graphs/language-model.ts'
import { createPixelDecoder } from '../graphs/pixel-decoder.ts'
import { openSession } from '../graphs/session.ts'
import { createVisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { GraphName } from '../package/files.ts'
import { createBatcher } from './batcher.ts'
import type { FromEngine, ToEngine } from '../pipe/messages.ts'

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

/** Rejects with a GraphError. 0 threads are one for each core. */
export async function openEngine (
  { folder, manifest, device, threads, slots, queueLimit, queueCost }: Extract<ToEngine, { kind: 'open' }>,
  send: (message: FromEngine) => void
) {
  const open = (name: GraphName) =>
    openSession(join(folder, manifest.graphs[name]!.file), {
      device,
      threads: threads || availableParallelism()
    }).catch(cause => {
      throw new GraphError(name, { cause })
    })
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
  const languageModel = createLanguageModel(await open('language_model'), manifest)
  const heads = createHeads({ text: await open('text_head'), visual: await open('visual_head') }, manifest)
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
  return createBatcher({
    manifest,
    graphs: { visualTokenizer, languageModel, heads, pixelDecoder },
    limits: { slots, queueLimit, queueCost },
    send
  })
}
