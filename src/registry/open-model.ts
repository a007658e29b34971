/** From a model package to engines that run it: files checked, memory reserved, processes started. */
import type { KeyObject } from 'node:crypto'
import { createLoad, type Load } from '../admission/load.ts'
import { createTextCodec, type TextCodec } from '../codecs/text.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { readTokenizer, verifyFiles } from '../package/package.ts'
import { createEngineClient, type EngineOptions } from '../pipe/engine-client.ts'
import type { EngineCounts } from '../pipe/messages.ts'
import { residentBytes, type Budget } from './budget.ts'
import { shareCores, thisMachine, type Machine } from './cores.ts'
import { createPool, type Pool } from './pool.ts'

export type ModelOptions = Omit<EngineOptions, 'folder' | 'manifest' | 'onCounts'> & {
  /** Processes that run the model side by side; 0 is as many as the machine has room for. */
  engines: number
  machine?: Machine
  /** The part of all places and cost that one client may take while no other takes any. */
  clientShare: number
  /** Those who may have signed a package; with none it need not be signed. */
  packageKeys?: readonly KeyObject[]
  onCounts?: ((model: string, counts: EngineCounts) => void) | undefined
  /** Hears of each start of an engine that is not its first. */
  onRestart?: ((model: string) => void) | undefined
}

export type OpenModel = { manifest: Manifest; text: TextCodec; pool: Pool; load: Load }

/** A package whose manifest was read, on the account of `budget` under its name. */
export type Package = { name: string; folder: string; manifest: Manifest; budget: Budget }

/**
 * Resolves when a first engine runs. Rejects with the signal's reason, and else with an error that says why in its
 * message, where it is one of ours.
 */
export async function openModel (
  { name, folder, manifest, budget }: Package,
  asked: ModelOptions,
  signal: AbortSignal
): Promise<OpenModel> {
  const { slots, machine = thisMachine() } = asked
  const options = { ...asked, ...shareCores(asked, machine, residentBytes(manifest, { slots, engines: 1 })) }
  let pool: Pool | undefined
  try {
    await verifyFiles(folder, manifest, signal)
    const text = createTextCodec(await readTokenizer(folder, manifest))
    await budget.reserve(name, residentBytes(manifest, options))
    signal.throwIfAborted()
    pool = startPool(name, folder, manifest, options)
    await pool.opened(signal)
    return { manifest, text, pool, load: createLoad(options) }
  } catch (cause) {
    const reason = pool?.reason()
    await pool?.close(0)
    if (signal.aborted) throw signal.reason // whoever aborted sees to the rest
    throw reason === undefined ? cause : new ServerError('model_unavailable', reason, { cause })
  }
}

/** Files are checked before every start of an engine; those that start together share the check. */
function startPool (
  name: string,
  folder: string,
  manifest: Manifest,
  {
    engines,
    onCounts,
    onRestart,
    machine: _machine,
    clientShare: _share,
    packageKeys: _keys,
    ...engineOptions
  }: ModelOptions
): Pool {
  const share = (check: Promise<void>) =>
    check.finally(() => {
      checking = undefined
    })
  let checking: Promise<void> | undefined = share(Promise.resolve()) // they have just been checked
  return createPool({
    model: name,
    engines,
    log: engineOptions.log,
    onCounts: counts => onCounts?.(name, counts),
    onRestart: () => onRestart?.(name),
    async start (signal, onCounts) {
      checking ??= share(verifyFiles(folder, manifest, signal))
      await checking
      return createEngineClient({ ...engineOptions, folder, manifest, onCounts })
    }
  })
}
