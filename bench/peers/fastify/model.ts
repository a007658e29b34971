/** The graphs as a plain server opens them: each a session of all threads, in its own process. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createHeads } from '../../../src/graphs/heads.ts'
import { createLanguageModel } from '../../../src/graphs/language-model.ts'
import { openSession } from '../../../src/graphs/session.ts'
import { createVisualTokenizer } from '../../../src/graphs/visual-tokenizer.ts'
import type { GraphName } from '../../../src/package/files.ts'
import { readManifest } from '../../../src/package/package.ts'
import { modelFolder } from '../../engine.ts'
import type { Model } from './captions.ts'

/** `isWhole`: all ids are scored, in place of the words. */
export async function openModel ({ isWhole }: Pick<Model, 'isWhole'>): Promise<Model> {
  const manifest = readManifest(modelFolder)
  const open = (name: GraphName) =>
    openSession(join(modelFolder, manifest.graphs[name]?.file ?? ''), {
      device: 'cpu',
      threads: availableParallelism()
    })
  return {
    manifest,
    isWhole,
    visualTokenizer: createVisualTokenizer(
      {
        vision: await open('vision'),
        tokenPredictor: await open('token_predictor'),
        mergerCodes: await open('merger_codes'),
        mergerEmbeddings: await open('merger_embeddings')
      },
      manifest
    ),
    languageModel: createLanguageModel(await open('language_model'), manifest),
    heads: createHeads({ text: await open('text_head'), visual: await open('visual_head') }, manifest)
  }
}
