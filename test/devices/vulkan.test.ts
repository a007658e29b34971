import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { driversFor, findDrivers, readVulkanInfo, softwareOf } from '../../src/devices/vulkan.ts'

t.test('what vulkaninfo 1.3.239 wrote of two software drivers', async t => {
  const text = readFileSync(join(import.meta.dirname, 'fixtures/vulkaninfo.txt'), 'utf8')
  t.strictSame(readVulkanInfo(text), [
    {
      vendor: '1ae0',
      product: 'c0de',
      name: 'SwiftShader Device (Subzero)',
      driver: 'SwiftShader driver',
      isSoftware: true,
      memoryBytes: 2 ** 31,
      largestBufferBytes: 2 ** 30,
      f16: false
    },
    {
      vendor: '10005',
      product: '0000',
      name: 'llvmpipe (LLVM 15.0.6, 256 bits)',
      driver: 'llvmpipe Mesa 22.3.6 (LLVM 15.0.6)',
      isSoftware: true,
      memoryBytes: 2 ** 31,
      largestBufferBytes: 2 ** 27,
      f16: true
    }
  ])
  t.strictSame(readVulkanInfo('ERROR: no devices'), [])
})

t.test('files of drivers', async t => {
  const folder = t.testdir({ vulkan: { 'icd.d': { 'radeon_icd.json': '{}', 'a.txt': '', 'lvp_icd.json': '{}' } } })
  const inFolder = join(folder, 'vulkan/icd.d')
  const found = findDrivers({ XDG_DATA_HOME: folder })
  t.strictSame(found.filter(file => file.startsWith(folder)), [
    join(inFolder, 'lvp_icd.json'),
    join(inFolder, 'radeon_icd.json')
  ])
  const one = join(inFolder, 'radeon_icd.json')
  t.strictSame(findDrivers({ VK_DRIVER_FILES: `${one}:/none`, XDG_DATA_HOME: folder }), [one], 'what is named, alone')
  t.strictSame(findDrivers({ VK_ICD_FILENAMES: inFolder }).length, 2, 'a folder counts, and the older name')
})

t.test('which driver may reach a card', async t => {
  const files = ['/x/nvidia_icd.json', '/intel/radeon_icd.x86_64.json', '/x/lvp_icd.json']
  t.strictSame(driversFor('1002', files), ['/intel/radeon_icd.x86_64.json'])
  t.strictSame(driversFor('8086', files), [])
  t.strictSame(driversFor('1af4', files), files)
  t.strictSame(files.map(softwareOf), [undefined, undefined, 'llvmpipe'])
})
