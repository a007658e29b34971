import t from 'tap'
import { readDrm, readNvidia } from '../../src/devices/cards.ts'

t.test("lines of NVIDIA's tool", async t => {
  t.strictSame(readNvidia('NVIDIA H100 80GB HBM3, 00000000:01:00.0, 0x233010DE, 81559, 550.54.15\n'), [
    {
      vendor: '10de',
      product: '2330',
      slot: '0000:01:00.0',
      name: 'NVIDIA H100 80GB HBM3',
      driver: 'NVIDIA 550.54.15',
      memoryBytes: 81559 * 2 ** 20
    }
  ])
  t.match(readNvidia('NVIDIA GB10, 0000000F:01:00.0, 0x2E1210DE, [N/A], 580.1'), [{ memoryBytes: null }])
  t.strictSame(readNvidia('No devices were found\n'), [])
  t.strictSame(readNvidia(''), [])
})

t.test('cards of the kernel, with the memory of amdgpu', async t => {
  const folder = t.testdir({
    card0: {
      device: {
        vendor: '0x1002\n',
        device: '0x744C\n',
        uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n',
        mem_info_vram_total: '25753026560\n'
      }
    },
    card1: { device: { vendor: '0x8086\n', device: '0x56a0\n', uevent: 'DRIVER=i915\nPCI_SLOT_NAME=0000:04:00.0\n' } },
    card2: { device: { uevent: 'DRIVER=vkms\n' } },
    'card0-DP-1': {}
  })
  t.strictSame(readDrm(folder), [
    {
      vendor: '1002',
      product: '744c',
      slot: '0000:03:00.0',
      name: 'AMD 744c',
      driver: 'amdgpu',
      memoryBytes: 25753026560
    },
    { vendor: '8086', product: '56a0', slot: '0000:04:00.0', name: 'Intel 56a0', driver: 'i915', memoryBytes: null }
  ])
  t.strictSame(readDrm(`${folder}/none`), [])
})
