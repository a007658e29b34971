/** Which graphics cards the machine has, as the kernel and NVIDIA's own tool tell. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** `vendor` and `product` are PCI's, as four lower-case digits; `slot` as in `0000:01:00.0`. */
export type Card = {
  vendor: string
  product: string
  slot: string
  name: string
  driver: string | null
  memoryBytes: number | null
}

/** What NVIDIA's tool is asked: `readNvidia` knows the order. */
export const nvidiaQuery = [
  '--query-gpu=name,pci.bus_id,pci.device_id,memory.total,driver_version',
  '--format=csv,noheader,nounits'
]

const vendors: Record<string, string> = { 1002: 'AMD', '10de': 'NVIDIA', 8086: 'Intel' }

/** Lines such as `NVIDIA H100 80GB HBM3, 00000000:01:00.0, 0x233010DE, 81559, 550.54.15`; memory in MiB. */
export function readNvidia (lines: string): Card[] {
  return lines
    .trim()
    .split('\n')
    .map(line => line.split(',').map(cell => cell.trim()))
    .flatMap(([name, bus = '', ids = '', memory, version]) =>
      name && /^0x[0-9a-f]{8}$/i.test(ids)
        ? [
            {
              vendor: ids.slice(6).toLowerCase(),
              product: ids.slice(2, 6).toLowerCase(),
              slot: bus.toLowerCase().slice(-12),
              name,
              driver: version ? `NVIDIA ${version}` : null,
              memoryBytes: Number(memory) > 0 ? Number(memory) * 2 ** 20 : null
            }
          ]
        : []
    )
}

/** Every card under `/sys/class/drm`; the memory of those of amdgpu. */
export function readDrm (folder = '/sys/class/drm'): Card[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => /^card\d+$/.test(name))
    .map(name => join(folder, name, 'device'))
    .flatMap(device => {
      const [vendor, product] = [read(device, 'vendor'), read(device, 'device')].map(id => id.slice(2).toLowerCase())
      const events = read(device, 'uevent')
      const slot = /^PCI_SLOT_NAME=(.*)$/m.exec(events)?.[1]
      if (!vendor || !product || slot === undefined) return []
      return [
        {
          vendor,
          product,
          slot: slot.toLowerCase(),
          name: `${vendors[vendor] ?? `vendor ${vendor}`} ${product}`,
          driver: /^DRIVER=(.*)$/m.exec(events)?.[1] ?? null,
          memoryBytes: Number(read(device, 'mem_info_vram_total')) || null
        }
      ]
    })
}

function read (folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8').trim()
  } catch {
    return ''
  }
}
