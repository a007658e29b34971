/** The models of a folder: loaded on demand within a memory budget, lent to requests, evicted when idle. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TextCodec } from '../codecs/text.ts'
import type { Device, Probe } from '../devices/device.ts'
import { createInventory, type Trial } from '../devices/inventory.ts'
import { probe } from '../devices/probe.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { ModelDetails } from '../schemas/models.ts'
import { createBudget } from './budget.ts'
import { thisMachine } from './cores.ts'
import { describe, describeDevice, summarize } from './describe.ts'
import { drainingError, loadingError, unavailable } from './failure.ts'
import { createModel, type Model } from './model.ts'
import type { OpenModel } from './open-model.ts'
import type { Pool } from './pool.ts'
import type { ModelOptions } from './start-pool.ts'
import type { Planned } from '../pipe/cost.ts'
import { tryDevice } from '../pipe/try-device.ts'

export type RegistryOptions = ModelOptions & {
  modelsFolder: string
  defaultModel: string
  /** What may be taken, in order, as LAVIT_DEVICE says it. */
  devices: string[]
  memoryBudgetMb: number // of the host; 0 is no limit
  /** For what engines keep of pictures that they read, of all models together. */
  prefixBytes?: number
  deviceBudgetMb: number // of each GPU; 0 is a part of what it has
  /** How GPUs are found and tried; tests pretend some. */
  probe?: Probe
  tryOut?: (device: Device) => Promise<Trial>
  graceMs: number // for requests of a model that is unloaded
}

/** A model on loan. `admit` a work, which throws `queue_full`, before you `submit` it. `release` once in any case. */
export type LoadedModel = {
  manifest: Manifest
  text: TextCodec
  admit: (work: Planned) => void
  submit: Pool['submit']
  release: () => void
}

/** A loaded model, to look at. */
export type LookedAt = Pick<OpenModel, 'manifest' | 'text'> & { place: Pool['place'] }

export type Registry = ReturnType<typeof createRegistry>

const shareOfDevice = 0.9 // the rest is for the driver, and for others

export function createRegistry ({
  modelsFolder,
  defaultModel,
  devices: wanted,
  memoryBudgetMb,
  prefixBytes = 0,
  deviceBudgetMb,
  graceMs,
  probe: findGpus = probe,
  tryOut = tryDevice,
  ...options
}: RegistryOptions) {
  const models = new Map<string, Model>()
  const hostBytes = (options.machine ?? thisMachine()).memory
  const inventory = createInventory({ wanted, hostBytes, probe: findGpus, tryOut })
  const budget = createBudget({ limitOf, tenants: () => models.values(), log: options.log })
  let draining = false
  let onRelease = () => {}

  const folders = findPackages(modelsFolder)
  for (const folder of folders) {
    const model = createModel(folder, { budget, inventory }, { ...options, prefixBytes: prefixBytes / folders.length })
    models.set(model.name, model)
  }

  return {
    defaultModel,
    list: () => [...models.values()].map(summarize),

    /** Throws `model_not_found`. */
    describe: (name: string): ModelDetails => describe(find(name)),

    /** Whether the default model is ready, or went to make room for another: then the next request loads it. */
    canTakeWork () {
      const model = models.get(defaultModel)
      return model?.state === 'ready' || model?.isEvicted === true
    },

    /** Every device that may be used; GPUs are looked for first. */
    async listDevices () {
      await inventory.list()
      return tellDevices()
    },

    /** As many as are known now. */
    tellDevices,
    acquire,
    look,
    load,
    unload,
    close
  }

  /**
   * Lends a model to a client, loading it first if need be. Rejects with `model_not_found`, `model_unavailable`,
   * `model_loading`, `engine_restarting`, `draining`, or with the signal's reason.
   */
  async function acquire (
    name = defaultModel,
    signal?: AbortSignal,
    client = ''
  ): Promise<LoadedModel> {
    if (draining) throw drainingError()
    return find(name).use(signal, client, () => onRelease())
  }

  /** A loaded model, to look at. Throws `model_not_found`, `model_loading`, `model_unavailable`. */
  function look (name = defaultModel): LookedAt {
    const model = find(name)
    const loaded = model.loaded()
    if (loaded === undefined) {
      if (model.state === 'loading') throw loadingError(5000)
      throw unavailable(name, model.detail ?? 'no job asked for it yet')
    }
    const { manifest, text, pool } = loaded
    return { manifest, text, place: pool.place }
  }

  /**
   * Loads a model ahead of its first request, however long it takes. Rejects with an error that has
   * `retryAfterSeconds` where the model may be loaded later as things are, and has none where it can never be.
   */
  async function load (name: string) {
    if (draining) throw drainingError()
    await find(name).loadAfresh()
  }

  /** Ends a model's engines; its requests get the grace time to finish. */
  async function unload (name: string) {
    await find(name).unload(graceMs)
  }

  /** Lends no more, waits up to `graceMs` for what is lent, then ends every engine process. */
  async function close ({ graceMs }: { graceMs: number }) {
    draining = true
    budget.close()
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, graceMs)
      onRelease = () => {
        if ([...models.values()].some(({ isLent }) => isLent)) return
        clearTimeout(timer)
        resolve()
      }
      onRelease()
    })
    await Promise.all([...models.values()].map(model => model.unload(0)))
  }

  function tellDevices () {
    return inventory.known().map(device => describeDevice(device, budget, [...models.values()]))
  }

  function limitOf (id: string): number {
    const megabytes = id === 'cpu' ? memoryBudgetMb : deviceBudgetMb
    if (megabytes > 0) return megabytes * 2 ** 20
    const bytes = id === 'cpu' ? null : inventory.known().find(device => device.id === id)?.memoryBytes
    return bytes == null ? Infinity : Math.floor(shareOfDevice * bytes)
  }

  function find (name: string) {
    const model = models.get(name)
    if (!model) throw new ServerError('model_not_found', `There is no model ${JSON.stringify(name)}`)
    return model
  }
}

/** Folders that hold a `manifest.json`, in order of name. */
function findPackages (modelsFolder: string) {
  return readdirSync(modelsFolder)
    .sort()
    .map(name => join(modelsFolder, name))
    .filter(folder => existsSync(join(folder, 'manifest.json')))
}
