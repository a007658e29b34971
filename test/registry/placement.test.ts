import t from 'tap'
import { hostDevice, unknownGpu } from '../../src/devices/device.ts'
import { orderDevices } from '../../src/registry/placement.ts'

const gpu = (number: number, isSoftware = false) => ({ ...unknownGpu(), id: `webgpu:${number}`, isSoftware })
const devices = [hostDevice(1), gpu(0), gpu(1), gpu(2, true)]
const free: Record<string, number> = { cpu: 9, 'webgpu:0': 5, 'webgpu:1': 7, 'webgpu:2': Infinity }
const order = (...wanted: string[]) => orderDevices(wanted, devices, id => free[id] ?? 0).map(({ id }) => id)

t.test('the order is that of the list, and within webgpu that of free memory', async t => {
  t.strictSame(order('cpu'), ['cpu'])
  t.strictSame(order('webgpu'), ['webgpu:2', 'webgpu:1', 'webgpu:0'])
  t.strictSame(order('webgpu:0', 'webgpu', 'cpu'), ['webgpu:0', 'webgpu:2', 'webgpu:1', 'cpu'])
  t.strictSame(order('auto'), ['webgpu:1', 'webgpu:0', 'cpu'])
})

t.test('a device that is named and not there says which there are', async t => {
  t.match(orderDevices(['webgpu:4'], devices, () => 0), [
    { id: 'webgpu:4', fault: 'there is no such device; there are cpu, webgpu:0, webgpu:1, webgpu:2' }
  ])
})

t.test('where auto finds no GPU of hardware, it says so', async t => {
  const auto = (...gpus: typeof devices) => orderDevices(['auto'], [hostDevice(1), ...gpus], () => 0)
  t.match(auto(), [{ id: 'webgpu:0', fault: 'there is no GPU' }, { id: 'cpu', fault: null }])
  t.match(auto(gpu(2, true)), [
    { id: 'webgpu:2', fault: "auto leaves out the runtime's choice, a processor that plays a GPU" },
    { id: 'cpu' }
  ])
})
