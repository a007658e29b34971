import t from 'tap'
import { unknownGpu } from '../../src/devices/device.ts'
import { createInventory } from '../../src/devices/inventory.ts'

t.test('where only the processor is wanted nobody looks for GPUs', async t => {
  const { list, known } = createInventory({
    wanted: ['cpu'],
    hostBytes: 5,
    probe: async () => t.fail('looked'),
    tryOut: async () => t.fail('tried')
  } as unknown as Parameters<typeof createInventory>[0])
  t.match(await list(), [{ id: 'cpu', memoryBytes: 5 }])
  t.equal(known().length, 1)
})

t.test('GPUs are found once, and tried unless their fault is known', async t => {
  let looks = 0
  const tried: string[] = []
  const { list, known } = createInventory({
    wanted: ['webgpu'],
    hostBytes: 5,
    async probe () {
      looks++
      return [unknownGpu(), { ...unknownGpu(), id: 'webgpu:1', fault: 'no driver', f16: true }]
    },
    async tryOut ({ id }) {
      tried.push(id)
      return { f16: false, fault: 'it ended' }
    }
  })
  t.equal(known().length, 1)
  await Promise.all([list(), list()])
  t.equal(looks, 1)
  t.strictSame(tried, ['webgpu:0'])
  t.match(known(), [
    { id: 'cpu' },
    { id: 'webgpu:0', f16: false, fault: 'it ended' },
    { id: 'webgpu:1', f16: true, fault: 'no driver' }
  ])
})
