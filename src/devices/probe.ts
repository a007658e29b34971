/** The GPUs of this machine, from all that tells of them: the kernel, NVIDIA's tool, Vulkan's files and its tool. */
import { nvidiaQuery, readDrm, readNvidia, type Card } from './cards.ts'
import { ask } from './command.ts'
import { unknown, unknownGpu, type Device } from './device.ts'
import { driversFor, findDrivers, readVulkanInfo, softwareOf, type VulkanDevice } from './vulkan.ts'

export type Findings = {
  cards: Card[]
  drivers: string[]
  /** Nothing where there is no `vulkaninfo`. */
  vulkan: VulkanDevice[] | undefined
}

type Found = Omit<Device, 'id' | 'kind'> & { vendor: string; product: string }

export async function probe (): Promise<Device[]> {
  if (process.platform !== 'linux') return [unknownGpu()]
  const [nvidia, vulkaninfo] = await Promise.all([ask('nvidia-smi', nvidiaQuery), ask('vulkaninfo', [])])
  const known = readNvidia(nvidia ?? '')
  return listDevices({
    cards: [...known, ...readDrm().filter(({ slot }) => !known.some(card => card.slot === slot))],
    drivers: findDrivers(),
    vulkan: vulkaninfo === undefined ? undefined : readVulkanInfo(vulkaninfo)
  })
}

/** Hardware by its place on the bus, then what only plays a GPU. */
export function listDevices ({ cards, drivers, vulkan }: Findings): Device[] {
  const left = [...cards].sort((a, b) => (a.slot < b.slot ? -1 : 1))
  const found = [
    ...left.map(card => fromCard(card, drivers, vulkan)),
    ...(vulkan ?? [])
      .filter(device => !left.some(card => isSame(card, device)))
      .map(device => fromVulkan(device, drivers)),
    ...(vulkan === undefined ? drivers.flatMap(fromFile) : [])
  ]
  const sorted = [...found.filter(({ isSoftware }) => !isSoftware), ...found.filter(({ isSoftware }) => isSoftware)]
  return sorted.map(({ vendor, product, ...device }, index) => {
    const twin = sorted.findIndex(other => other.vendor === vendor && other.product === product && !other.isSoftware)
    const isSecond = !device.isSoftware && twin < index
    return {
      id: `webgpu:${index}`,
      kind: 'webgpu',
      ...device,
      fault:
        device.fault ??
        (isSecond
          ? `no variable tells it from webgpu:${twin}, a card of the same make; give each server a container with one`
          : null)
    }
  })
}

function fromCard (card: Card, drivers: string[], vulkan: VulkanDevice[] | undefined): Found {
  const { vendor, product, name, driver, memoryBytes } = card
  const seen = vulkan?.find(device => isSame(card, device))
  const files = driversFor(vendor, drivers)
  const isReached = vulkan === undefined ? files.length > 0 : seen !== undefined
  return {
    vendor,
    product,
    name: seen?.name ?? name,
    driver: seen?.driver ?? driver,
    isSoftware: false,
    memoryBytes: memoryBytes ?? seen?.memoryBytes ?? null,
    largestBufferBytes: seen?.largestBufferBytes ?? null,
    f16: seen?.f16 ?? null,
    fault: isReached ? null : 'no Vulkan driver that is installed reaches it',
    environment: environmentFor(vendor, product, files)
  }
}

function fromVulkan (device: VulkanDevice, drivers: string[]): Found {
  const { vendor, product } = device
  return { ...device, fault: null, environment: environmentFor(vendor, product, driversFor(vendor, drivers)) }
}

/** A driver's file alone tells of a device that needs no card. */
function fromFile (file: string): Found[] {
  const name = softwareOf(file)
  if (name === undefined) return []
  return [{ vendor: name, product: '', ...unknown, name, isSoftware: true, environment: { VK_DRIVER_FILES: file } }]
}

function environmentFor (vendor: string, product: string, files: string[]): Record<string, string> {
  return {
    VK_LOADER_DEVICE_SELECT: `0x${vendor}:0x${product}`,
    ...(files.length > 0 && { VK_DRIVER_FILES: files.join(':') })
  }
}

function isSame (card: Card, device: VulkanDevice) {
  return card.vendor === device.vendor && card.product === device.product
}
