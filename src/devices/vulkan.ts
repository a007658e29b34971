/** What Vulkan tells: which drivers are installed, and the devices that `vulkaninfo` lists. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Device } from './device.ts'

/** `vendor` and `product` as `Card` has them. */
export type VulkanDevice = { vendor: string; product: string } & Pick<
  Device,
  'name' | 'driver' | 'isSoftware' | 'memoryBytes' | 'largestBufferBytes' | 'f16'
>

const softwareDrivers = { lvp: 'llvmpipe', swiftshader: 'SwiftShader' }
const driversOf: Record<string, RegExp> = {
  1002: /radeon|amd/,
  '10de': /nvidia|nouveau/,
  8086: /intel/,
  '1ae0': /swiftshader/,
  10005: /lvp/ // Mesa's own number
}

/** Files that tell the loader of a driver: those that the variables name, else those of the usual folders. */
export function findDrivers (environment: Record<string, string | undefined> = process.env): string[] {
  const named = environment.VK_DRIVER_FILES || environment.VK_ICD_FILENAMES
  const data = environment.XDG_DATA_HOME || join(environment.HOME || homedir(), '.local/share')
  const roots = ['/etc', '/usr/local/etc', data, '/usr/local/share', '/usr/share']
  const paths = named ? named.split(delimiter) : roots.map(root => join(root, 'vulkan/icd.d'))
  return paths.flatMap(path => {
    if (!existsSync(path)) return []
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path)
      .filter(name => name.endsWith('.json'))
      .sort()
      .map(name => join(path, name))
  })
}

/** Those of the files that may reach a card of this vendor; all where the vendor is unknown. */
export function driversFor (vendor: string, files: string[]): string[] {
  const pattern = driversOf[vendor]
  return pattern ? files.filter(file => pattern.test(nameOf(file))) : files
}

/** The name of the processor that plays a GPU, where the file is of such a driver. */
export function softwareOf (file: string): string | undefined {
  return Object.entries(softwareDrivers).find(([mark]) => nameOf(file).includes(mark))?.[1]
}

/** From what `vulkaninfo` writes without options. */
export function readVulkanInfo (text: string): VulkanDevice[] {
  const [, ...sections] = text.split(/^GPU\d+:$/m)
  return sections.flatMap(section => {
    const find = (pattern: RegExp) => pattern.exec(section)?.[1]?.trim()
    const [vendor, product] = [find(/^\s*vendorID\s*= 0x([0-9a-f]+)/m), find(/^\s*deviceID\s*= 0x([0-9a-f]+)/m)]
    if (vendor === undefined || product === undefined) return []
    const driver = [find(/^\s*driverName\s*= (.*)$/m), find(/^\s*driverInfo\s*= (.*)$/m)].filter(Boolean).join(' ')
    const f16 = find(/^\s*shaderFloat16\s*= (true|false)/m)
    return [
      {
        vendor: vendor.padStart(4, '0'),
        product: product.padStart(4, '0'),
        name: find(/^\s*deviceName\s*= (.*)$/m) ?? `device ${product}`,
        driver: driver || null,
        isSoftware: /PHYSICAL_DEVICE_TYPE_CPU/.test(section),
        memoryBytes: largestHeap(section),
        largestBufferBytes: Number(find(/^\s*maxStorageBufferRange\s*= (\d+)/m)) || null,
        f16: f16 === undefined ? null : f16 === 'true'
      }
    ]
  })
}

/** Bytes of the largest heap that lies on the device. */
function largestHeap (section: string): number | null {
  const heaps = section.split(/memoryHeaps\[\d+\]:/).slice(1)
  const sizes = heaps
    .filter(heap => /MEMORY_HEAP_DEVICE_LOCAL_BIT/.test(heap.split('memoryTypes')[0] ?? ''))
    .map(heap => Number(/size\s*= (\d+)/.exec(heap)?.[1] ?? 0))
  return Math.max(0, ...sizes) || null
}

function nameOf (file: string) {
  return file.slice(file.lastIndexOf('/') + 1).toLowerCase()
}
