/** The devices that the server may use: found once, and each GPU tried before the first model is placed. */
import { hostDevice, unknownGpu, type Device, type Probe } from './device.ts'

/** What a first small graph on a device says of it. */
export type Trial = { f16: boolean | null; fault: string | null }

export type Inventory = ReturnType<typeof createInventory>

/**
 * Looks for GPUs where one is `wanted`. `auto` does not try what only plays one; a GPU that is asked for by name and
 * not found is the runtime's choice.
 */
export function createInventory ({
  wanted,
  hostBytes,
  probe,
  tryOut
}: {
  wanted: string[]
  hostBytes: number
  probe: Probe
  tryOut: (device: Device) => Promise<Trial>
}) {
  const isAuto = wanted.includes('auto')
  const known = [hostDevice(hostBytes)]
  let finding: Promise<void> | undefined

  return {
    wanted,

    /** The host first. Waits for the look, the first time. */
    async list (): Promise<readonly Device[]> {
      finding ??= find()
      await finding
      return known
    },

    /** As many as are known now. */
    known: (): readonly Device[] => known
  }

  async function find (): Promise<void> {
    if (wanted.every(device => device === 'cpu')) return
    const found = await probe()
    const gpus = found.length === 0 && !isAuto ? [unknownGpu()] : found
    for (const gpu of gpus) { // one after the other: they may share a driver
      const isTried = gpu.fault === null && !(isAuto && gpu.isSoftware)
      const { f16, fault } = isTried ? await tryOut(gpu) : gpu
      known.push({ ...gpu, f16: f16 ?? gpu.f16, fault })
    }
  }
}
