import t from 'tap'
import { allowedDevices, readDevices } from '../../src/config/devices.ts'

t.test('auto, one device, or a list in order', async t => {
  for (const [text, devices] of [
    ['auto', ['auto']],
    ['CPU', ['cpu']],
    ['WebGPU', ['webgpu']],
    ['webgpu:12', ['webgpu:12']],
    ['webgpu:1, webgpu , cpu', ['webgpu:1', 'webgpu', 'cpu']]
  ] as const) {
    t.strictSame(readDevices(text), { devices }, text)
  }
})

t.test('anything else is refused', async t => {
  for (const text of ['gpu', 'auto,cpu', 'cpu,cpu', 'webgpu:', 'webgpu:01', 'webgpu:100', 'cpu:0', 'cpu,', '0']) {
    t.strictSame(readDevices(text), { allowed: allowedDevices }, text)
  }
})

t.test('cuda is told why it is none, and what is in its place', async t => {
  for (const text of ['cuda', 'CUDA:0', 'webgpu,cuda']) {
    t.match(readDevices(text), { allowed: /cuda is none: .* NVIDIA cards are reached by webgpu/ }, text)
  }
})
