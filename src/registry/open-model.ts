/** From a model package to engines that run it: files checked, a device chosen, memory reserved, processes started. */
import { createLoad, type Load } from '../admission/load.ts'
import { createTextCodec, type TextCodec } from '../codecs/text.ts'
import type { Device } from '../devices/device.ts'
import type { Inventory } from '../devices/inventory.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { readTokenizer, verifyFiles } from '../package/package.ts'
import type { Budget } from './budget.ts'
import { shareCores, thisMachine } from './cores.ts'
import { demandOf } from './demand.ts'
import { orderDevices, type Placement } from './placement.ts'
import type { Pool } from './pool.ts'
import { startPool, type ModelOptions, type Package } from './start-pool.ts'

export type OpenModel = { manifest: Manifest; text: TextCodec; pool: Pool; load: Load; placement: Placement }

type Objection = { device: string; error: ServerError }

export type Room = { budget: Budget; inventory: Inventory }

/**
 * Resolves when a first engine runs on the first device that can and has room. Rejects with the signal's reason, and
 * else with an error that says why in its message, where it is one of ours; with a time to come back where a device
 * may have room later. A device that is lost later is refused, where another one is left.
 */
export async function openModel (
  model: Package,
  { budget, inventory }: Room,
  options: ModelOptions,
  signal: AbortSignal
): Promise<OpenModel> {
  await verifyFiles(model.folder, model.manifest, signal)
  const text = createTextCodec(await readTokenizer(model.folder, model.manifest))
  warnOfSlots(model, options)
  const devices = orderDevices(inventory.wanted, [...(await inventory.list())], budget.freeOf)
  const against: Objection[] = []
  for (const device of devices) {
    const moveOn = (reason: string) => {
      if (devices.every(other => other === device || objectionTo(other, model) !== undefined)) return false
      model.refusals.set(device.id, reason)
      model.onLost()
      return true
    }
    try {
      const reason = tell(against) || null
      return { text, ...(await openOn(device, model, budget, options, signal, reason, moveOn)) }
    } catch (error) {
      if (signal.aborted) throw signal.reason // whoever aborted sees to the rest
      if (!(error instanceof ServerError) || error.code !== 'model_unavailable') throw error
      options.log.warn({ model: model.name, device: device.id, err: error }, 'the device cannot take the model')
      against.push({ device: device.id, error })
    }
  }
  throw together(against)
}

async function openOn (
  device: Device,
  model: Package,
  budget: Budget,
  asked: ModelOptions,
  signal: AbortSignal,
  reason: string | null,
  moveOn: (reason: string) => boolean
): Promise<Omit<OpenModel, 'text'>> {
  const { name, manifest, refusals } = model
  const known = objectionTo(device, model)
  if (known !== undefined) throw new ServerError('model_unavailable', known)
  const { kind } = device
  const { slots, machine = thisMachine() } = asked
  const one = demandOf(manifest, { slots, engines: 1, kind })
  const options = { ...asked, ...shareCores({ ...asked, device: kind }, machine, one.host, budget.limitOf('cpu')) }
  const reserve = async (keepsOnHost: boolean) => {
    const bytes = demandOf(manifest, { slots, engines: options.engines, kind, keepsOnHost })
    await budget.reserve(name, { cpu: bytes.host, ...(kind !== 'cpu' && { [device.id]: bytes.device }) })
    return bytes
  }
  const bytes = await reserve(false)
  for (let isAgain = false; ; isAgain = true) {
    signal.throwIfAborted()
    const { pool, ranOut } = startPool(model, device, options, {
      makeRoom: () => budget.evict(device.id, name),
      moveOn
    })
    try {
      await pool.opened(signal)
      const taken = pool.keepsOnHost() ? await reserve(true) : bytes
      return { manifest, pool, load: createLoad(options), placement: { device, bytes: taken, reason } }
    } catch (cause) {
      const why = pool.reason()
      await pool.close(0)
      signal.throwIfAborted()
      if (ranOut() && !isAgain && (await budget.evict(device.id, name))) continue
      if (why === undefined) throw cause
      if (!ranOut()) refusals.set(device.id, why)
      throw new ServerError('model_unavailable', why, { cause })
    }
  }
}

/** Requests that name no beams and no guidance are refused where slots do not hold what the model does by default. */
function warnOfSlots ({ name, manifest: { tasks } }: Package, { slots, log }: ModelOptions): void {
  const isGuided = Math.max(tasks.generate.guidance_scale, tasks.generate.mixed_guidance_scale) > 1
  const needed = Math.max(tasks.caption.num_beams, tasks.vqa.num_beams, isGuided ? 2 : 1)
  if (slots < needed) log.warn({ model: name, slots, needed }, 'LAVIT_SLOTS is less than plain requests need')
}

/** Why the device cannot run the model, as far as that is known. */
function objectionTo ({ id, fault }: Device, { refusals }: Package): string | undefined {
  return fault ?? refusals.get(id)
}

/** One error for all devices: that of the only one, or all of them in words; what may have room later comes first. */
function together (against: Objection[]): ServerError {
  const [first, ...others] = against
  if (first && others.length === 0) return first.error
  const later = against.find(({ error }) => error.retryAfterSeconds !== undefined)
  if (later) return later.error
  return new ServerError('model_unavailable', tell(against))
}

function tell (against: Objection[]): string {
  return against.map(({ device, error }) => `${device}: ${error.message}`).join('; ')
}
