import t from 'tap'
import { captionWork, openBareEngine, readPixels } from '../../bench/engine.ts'
import { writeCaptions } from '../../bench/peers/fastify/captions.ts'
import { openModel } from '../../bench/peers/fastify/model.ts'
import { readSquare } from '../../bench/peers/fastify/picture.ts'
import { readPictures } from '../../bench/pictures.ts'

t.test('the plain server that the benchmark measures writes what the engine writes', async t => {
  const engine = await openBareEngine(1)
  const { manifest } = engine
  const files = (await readPictures()).slice(0, 7)
  const expected: number[][] = []
  for (const file of files) {
    const pixels = await readPixels(file, manifest)
    const { result } = await engine.run(captionWork(manifest, { pixels }, { beams: 1 }))
    expected.push('sequences' in result ? (result.sequences[0]?.ids ?? []) : [])
  }
  const pictures = await Promise.all(files.map(file => readSquare(file, manifest.image.size)))
  const wholeVocabulary = await openModel({ isWhole: true })
  t.same(await writeCaptions(wholeVocabulary, pictures), expected, 'all of them padded, every id scored')
  const words = await openModel({ isWhole: false })
  for (const [i, picture] of pictures.entries()) {
    t.same(await writeCaptions(words, [picture]), [expected[i]], `picture ${i} alone, by the head of words`)
  }
})
