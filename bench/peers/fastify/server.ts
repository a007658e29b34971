/**
 * A plain server over the same graphs: greedy captions by Fastify and the ONNX runtime in one process, the past handed
 * in and out. `--batch 16 --wait 20` collects up to 16 pictures for 20 ms, and runs them padded until the last ends.
 * `--head text` leaves out the codes' head, which a plain export has no reason to split off.
 */
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { createTextCodec } from '../../../src/codecs/text.ts'
import { readTokenizer } from '../../../src/package/package.ts'
import { modelFolder } from '../../engine.ts'
import { createCollector } from './collector.ts'
import { writeCaptions } from './captions.ts'
import { openModel } from './model.ts'
import { readSquare } from './picture.ts'

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '1' },
    wait: { type: 'string', default: '0' },
    head: { type: 'string', default: 'all' }
  }
})

const model = await openModel({ isWhole: options.head === 'all' })
const { manifest } = model
const text = createTextCodec(await readTokenizer(modelFolder, manifest))

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
