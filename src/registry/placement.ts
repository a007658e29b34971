/** On which devices a model may be placed, and in which order they are tried. */
import { unknownGpu, type Device } from '../devices/device.ts'

/** A model's place, and why there: what was said against the devices before it. */
export type Placement = { device: Device; bytes: { host: number; device: number }; reason: string | null }

/**
 * Devices in order of `wanted`; those of `webgpu` with the most free memory first. `auto` is GPUs of hardware, then the
 * host. A device that is named and not there, or that `auto` leaves out, comes with the fault that says so.
 */
export function orderDevices (wanted: string[], devices: Device[], freeOf: (device: string) => number): Device[] {
  const gpus = devices.filter(({ kind }) => kind === 'webgpu').sort((a, b) => compare(freeOf(b.id), freeOf(a.id)))
  const ordered = wanted.flatMap(term => {
    switch (term) {
      case 'auto':
        return [...hardware(gpus), ...devices.filter(({ kind }) => kind === 'cpu')]
      case 'webgpu':
        return gpus
      default:
        return devices.find(({ id }) => id === term) ?? missing(term, devices)
    }
  })
  return [...new Set(ordered)]
}

/** GPUs of hardware; where there is none, what the host is taken for, each with its fault. */
function hardware (gpus: Device[]): Device[] {
  const found = gpus.filter(({ isSoftware }) => !isSoftware)
  if (found.length > 0) return found
  if (gpus.length === 0) return [{ ...unknownGpu(), fault: 'there is no GPU' }]
  return gpus.map(gpu => ({ ...gpu, fault: `auto leaves out ${gpu.name}, a processor that plays a GPU` }))
}

function missing (id: string, devices: Device[]): Device {
  return { ...unknownGpu(), id, fault: `there is no such device; there are ${devices.map(({ id }) => id).join(', ')}` }
}

function compare (a: number, b: number) {
  return a === b ? 0 : a - b // two that have no limit are alike
}
