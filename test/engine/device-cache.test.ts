import t from 'tap'
import { storeShapeOf } from '../../src/engine/device.ts'
import { openDeviceCache } from '../../src/engine/device-cache.ts'
import { openDeviceMemory } from '../../src/graphs/device-memory.ts'
import { createLanguageModel } from '../../src/graphs/language-model.ts'
import { onPretended, pretendedMemory } from '../graphs/fixtures/pretended-memory.ts'
import { manifest, open } from '../parity/fixtures/recorded.ts'

const shape = storeShapeOf(manifest, 1)
const graph = await open('language_model')
const languageModel = createLanguageModel(graph, manifest)
t.teardown(() => graph.release())

t.test('a device that keeps what graphs write is used, and its rows are empty', async t => {
  const { memory, released } = pretendedMemory()
  t.teardown(() => memory.release())
  const cache = await openDeviceCache(shape, onPretended(graph), languageModel, async () => memory)
  if (!('store' in cache)) throw new Error(cache.fault)
  t.strictSame([0, 1, 2].map(cache.store.lengthOf), [0, 0, 0])
  t.equal(released(), 0)
})

t.test('one that does not write in place is not, and gives its memory back', async t => {
  const { memory, released } = pretendedMemory()
  const elsewhere = {
    ...memory,
    async open (bytes: Uint8Array) {
      const session = await memory.open(bytes)
      return { ...session, run: (inputs: Parameters<typeof session.run>[0]) => session.run(inputs) }
    }
  }
  const cache = await openDeviceCache(shape, onPretended(graph), languageModel, async () => elsewhere)
  t.match(cache, { fault: /in place/ })
  t.equal(released(), 1)
})

t.test('where the runtime keeps no tensors on the device, its words are the reason', async t => {
  const openMemory = () => openDeviceMemory({ device: 'cpu', threads: 1 })
  const cache = await openDeviceCache(shape, graph, languageModel, openMemory)
  t.match(cache, { fault: /\w/, store: undefined })
})
