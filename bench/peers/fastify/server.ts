/**
 * A plain server over the same graphs: greedy captions by Fastify and the ONNX runtime in one process, the past handed
 * in and out. `--batch 16 --wait 20` collects up to 16 pictures for 20 ms, and runs them padded until the last ends.
 * `--head text` leaves out the codes' head, which a plain export has no reason to split off.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { createTextCodec } from '../../../src/codecs/text.ts'
import { createHeads } from '../../../src/graphs/heads.ts'
import { createLanguageModel } from '../../../src/graphs/language-model.ts'
import { openSession } from '../../../src/graphs/session.ts'
import { createVisualTokenizer } from '../../../src/graphs/visual-tokenizer.ts'
import type { GraphName } from '../../../src/package/files.ts'
import { readManifest, readTokenizer } from '../../../src/package/package.ts'
import { modelFolder } from '../../engine.ts'
import { createCollector } from './collector.ts'
import { writeCaptions } from './captions.ts'
import { readSquare } from './picture.ts'

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '1' },
    wait: { type: 'string', default: '0' },
    head: { type: 'string', default: 'all' }
  }
})

const manifest = readManifest(modelFolder)
const text = createTextCodec(await readTokenizer(modelFolder, manifest))
const open = (name: GraphName) =>
  openSession(join(modelFolder, manifest.graphs[name]?.file ?? ''), {
    device: 'cpu',
    threads: availableParallelism()
  })
const model = {
  manifest,
  isWhole: options.head === 'all',
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

const caption = createCollector({
  most: Number(options.batch),
  waitMs: Number(options.wait),
  run: async (pictures: Uint8Array[]) => (await writeCaptions(model, pictures)).map(ids => text.decode(ids))
})

const app = Fastify()
app.addContentTypeParser('image/png', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)
app.get('/health/ready', async () => ({ status: 'ok' }))
app.post<{ Body: Buffer }>('/caption', async ({ body }) => {
  return { captions: [{ text: await caption(await readSquare(body, manifest.image.size)) }] }
})
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
