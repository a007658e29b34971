import t from 'tap'
import { troubleOf, watchTrouble, type Trouble } from '../../src/pipe/trouble.ts'

t.test('words that say that a device is lost', async t => {
  for (const text of [
    'WebGPU device lost (1): A valid external Instance reference no longer exists.', // the runtime's log
    '[Device] is lost.\n - While calling [Queue].Submit: Device is lost', // Dawn
    'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST', // Vulkan
    'DXGI_ERROR_DEVICE_REMOVED', // Direct3D
    'OperationError: Device was lost'
  ]) {
    t.equal(troubleOf(text), 'lost', text)
  }
})

t.test('words that say that memory ran out', async t => {
  for (const text of [
    'WebGPU device error(2): Out of memory',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    'Failed to create GPU buffer: size=134217728',
    'Failed to allocate memory for requested buffer of size 4294967296',
    'std::bad_alloc',
    'BFC Arena ran out of memory trying to allocate 12 bytes'
  ]) {
    t.equal(troubleOf(text), 'memory', text)
  }
})

t.test('other words say neither', async t => {
  for (const text of ['graph run failed with inputs pixels float32[1]', 'the lost dog', 'memory: 12', 'a line']) {
    t.equal(troubleOf(text), undefined, text)
  }
})

function watch (device: string) {
  const told: (Trouble | 'ended')[] = []
  const watched = watchTrouble({ device, onTrouble: trouble => told.push(trouble), end: () => told.push('ended') })
  return { told, watched }
}

t.test('the first trouble ends an engine that is open, once', async t => {
  const { told, watched } = watch('webgpu')
  watched.opened()
  watched.hear('all is well')
  watched.hear('WebGPU device lost (1)')
  watched.arose('memory')
  t.strictSame(told, ['lost', 'ended'])
})

t.test('while it opens it is told and may end by itself', async t => {
  const { told, watched } = watch('webgpu')
  watched.hear('Out of memory')
  t.strictSame(told, ['memory'])
})

t.test('lines of an engine on the processor mean nothing', async t => {
  const { told, watched } = watch('cpu')
  watched.opened()
  watched.hear('device lost')
  t.strictSame(told, [])
})
