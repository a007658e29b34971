/** Starts the engines of a model on a device, and sees to the files and the memory before each start. */
import type { KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Device } from '../devices/device.ts'
import type { Manifest } from '../package/manifest.ts'
import { readManifest, verifyFiles } from '../package/package.ts'
import { createEngineClient, type EngineOptions } from '../pipe/engine-client.ts'
import type { EngineCounts } from '../pipe/messages.ts'
import type { Machine } from './cores.ts'
import { createPool } from './pool.ts'

type OfEachEngine = 'folder' | 'manifest' | 'device' | 'lacksHalf' | 'environment' | 'onCounts' | 'onTrouble'

export type ModelOptions = Omit<EngineOptions, OfEachEngine> & {
  /** Processes that run the model side by side; 0 is as many as the machine has room for. */
  engines: number
  machine?: Machine
  /** The part of all places and cost that one client may take while no other takes any. */
  clientShare: number
  onCounts?: ((model: string, counts: EngineCounts, device: string) => void) | undefined
  /** Those who may have signed a package; with none it need not be signed. */
  packageKeys?: readonly KeyObject[]
  /** Hears of each start of an engine that is not its first. */
  onRestart?: ((model: string, device: string) => void) | undefined
}

/**
 * A package whose manifest was read; `refusals` are those of devices that cannot run it, by their ids. `onLost` hears
 * of one more, which had run it.
 */
export type Package = {
  name: string
  folder: string
  manifest: Manifest
  refusals: Map<string, string>
  onLost: () => void
}

/** What a pool may ask for: that another model ends, or that it is opened on another device, for a reason. */
export type Ways = { makeRoom: () => Promise<boolean>; moveOn: (reason: string) => boolean }

/**
 * Files are checked before every start of an engine; those that start together share the check. Where an engine that
 * has run ends because memory ran out, the next one waits until `makeRoom` has ended another model, if it can. Where
 * the files are those of another package that was put in its place, this one is opened when no engine runs any more.
 */
export function startPool (
  { name, folder, manifest, onLost }: Package,
  device: Device,
  {
    engines,
    onCounts,
    onRestart,
    machine: _machine,
    clientShare: _share,
    packageKeys,
    prefixBytes = 0,
    ...engineOptions
  }: ModelOptions,
  { makeRoom, moveOn }: Ways
) {
  const share = (check: Promise<void>) =>
    check.finally(() => {
      checking = undefined
    })
  let checking: Promise<void> | undefined = share(Promise.resolve()) // they have just been checked
  let hasRunOut = false
  let isOutdated = false
  let makingRoom: Promise<unknown> = Promise.resolve()
  const pool = createPool({
    model: name,
    engines,
    log: engineOptions.log,
    onCounts: counts => onCounts?.(name, counts, device.id),
    onRestart: () => onRestart?.(name, device.id),
    isOutdated: () => isOutdated,
    onLost (reason) {
      if (!isOutdated) return moveOn(reason)
      onLost()
      return true
    },
    async start (signal, onCounts) {
      checking ??= share(check(signal))
      await Promise.all([checking, makingRoom])
      return createEngineClient({
        ...engineOptions,
        prefixBytes: Math.floor(prefixBytes / engines),
        folder,
        manifest,
        device: device.kind,
        lacksHalf: device.f16 === false,
        environment: device.environment,
        onCounts,
        onTrouble (trouble) {
          if (trouble !== 'memory') return
          hasRunOut = true
          if (pool.isReady()) makingRoom = makeRoom()
        }
      })
    }
  })
  return { pool, ranOut: () => hasRunOut }

  async function check (signal: AbortSignal): Promise<void> {
    try {
      await verifyFiles(folder, manifest, signal)
    } catch (error) {
      isOutdated = await isReplaced(signal).catch(() => false)
      throw error
    }
  }

  /** Whether the folder holds another package, and all of it. */
  async function isReplaced (signal: AbortSignal): Promise<boolean> {
    const other = readManifest(folder, packageKeys)
    if (isDeepStrictEqual(other, manifest)) return false
    await verifyFiles(folder, other, signal)
    return true
  }
}
