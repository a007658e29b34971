// covers: src/devices/device.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Card } from '../../src/devices/cards.ts'
import { hostDevice } from '../../src/devices/device.ts'
import { listDevices, probe } from '../../src/devices/probe.ts'
import type { VulkanDevice } from '../../src/devices/vulkan.ts'

const card = (slot: string, more: Partial<Card> = {}): Card => ({
  vendor: '10de',
  product: '2330',
  slot,
  name: 'NVIDIA H100',
  driver: 'NVIDIA 550.54',
  memoryBytes: 80 * 2 ** 30,
  ...more
})
const radeon = card('0000:03:00.0', { vendor: '1002', product: '744c', name: 'AMD 744c', driver: 'amdgpu' })
const seen: VulkanDevice = {
  vendor: '10de',
  product: '2330',
  name: 'NVIDIA H100 80GB HBM3',
  driver: 'NVIDIA 550.54',
  isSoftware: false,
  memoryBytes: 1,
  largestBufferBytes: 4294967295,
  f16: true
}
const llvmpipe: VulkanDevice = { ...seen, vendor: '10005', product: '0000', name: 'llvmpipe', isSoftware: true }
const drivers = ['/d/lvp_icd.json', '/d/nvidia_icd.json', '/d/radeon_icd.json']

t.test('a card that Vulkan sees is told by both, and chosen by its driver and its numbers', async t => {
  t.strictSame(listDevices({ cards: [card('0000:01:00.0')], drivers, vulkan: [seen] }), [
    {
      id: 'webgpu:0',
      kind: 'webgpu',
      name: 'NVIDIA H100 80GB HBM3',
      driver: 'NVIDIA 550.54',
      isSoftware: false,
      memoryBytes: 80 * 2 ** 30,
      largestBufferBytes: 4294967295,
      f16: true,
      fault: null,
      environment: { VK_LOADER_DEVICE_SELECT: '0x10de:0x2330', VK_DRIVER_FILES: '/d/nvidia_icd.json' }
    }
  ])
})

t.test('numbers go by the place on the bus, and software comes last', async t => {
  const found = listDevices({ cards: [radeon, card('0000:01:00.0')], drivers, vulkan: [llvmpipe, seen] })
  t.match(found, [
    { id: 'webgpu:0', name: /H100/, fault: null },
    { id: 'webgpu:1', name: 'AMD 744c', fault: 'no Vulkan driver that is installed reaches it' },
    { id: 'webgpu:2', name: 'llvmpipe', isSoftware: true, environment: { VK_DRIVER_FILES: '/d/lvp_icd.json' } }
  ])
})

t.test('without vulkaninfo the files of drivers tell what can be reached', async t => {
  const found = listDevices({ cards: [card('0000:01:00.0')], drivers: ['/d/lvp_icd.json'], vulkan: undefined })
  t.match(found, [
    { id: 'webgpu:0', name: 'NVIDIA H100', fault: /no Vulkan driver/ },
    { id: 'webgpu:1', name: 'llvmpipe', isSoftware: true, memoryBytes: null, fault: null }
  ])
  t.match(listDevices({ cards: [radeon], drivers, vulkan: undefined }), [{ fault: null, f16: null }])
})

t.test('of two cards of one make the second is told that nothing tells it from the first', async t => {
  const cards = [card('0000:01:00.0'), card('0000:02:00.0')]
  t.match(listDevices({ cards, drivers, vulkan: [seen, seen] }), [{ fault: null }, { fault: /from webgpu:0, a card/ }])
})

t.test('nothing is found where there is nothing', async t => {
  t.strictSame(listDevices({ cards: [], drivers: [], vulkan: undefined }), [])
  t.ok(Array.isArray(await probe()))
})

t.test('tools of the system are asked', { skip: process.platform !== 'linux' && 'tools of Linux' }, async t => {
  const folder = t.testdir({ bin: {}, 'swiftshader_icd.json': '{}' })
  const tool = join(folder, 'bin/nvidia-smi')
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(tool, '#!/bin/sh\necho "NVIDIA L4, 00000000:F1:00.0, 0x27B810DE, 23034, 550.54"\n', { mode: 0o755 })
  const before = { ...process.env }
  t.teardown(() => Object.assign(process.env, before))
  Object.assign(process.env, { PATH: `${folder}/bin:/bin`, VK_DRIVER_FILES: join(folder, 'swiftshader_icd.json') })
  const found = await probe()
  t.match(found.find(({ name }) => name === 'NVIDIA L4'), {
    memoryBytes: 23034 * 2 ** 20,
    fault: 'no Vulkan driver that is installed reaches it'
  })
  t.match(found.at(-1), { name: 'SwiftShader', isSoftware: true, fault: null })
})

t.test('the host has the memory that it is said to have', async t => {
  t.match(hostDevice(7), { id: 'cpu', kind: 'cpu', name: /./, memoryBytes: 7, fault: null, environment: {} })
})
