/** The models of a folder: loaded on demand within a memory budget, lent to requests, evicted when idle. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TextCodec } from '../codecs/text.ts'
import { ServerError } from '../errors.ts'
import type { EngineClient } from '../pipe/engine-client.ts'
import type { Manifest } from '../package/manifest.ts'
import { createModel, type Model, type ModelOptions, type ModelState } from './model.ts'
import { filesOf } from '../package/package.ts'

export type RegistryOptions = Omit<ModelOptions, 'reserve' | 'free'> & {
  modelsFolder: string
  defaultModel: string
  memoryBudgetMb: number // 0 is no limit
  graceMs: number // for requests of a model that is unloaded
}

export type ModelSummary = { name: string, family: string, version: string, state: ModelState, device: string }

/** What `GET /models/{name}` adds; only `detail` where the manifest cannot be read. */
export type ModelDetails = ModelSummary & {
  detail: string | null // why the model failed
  description?: string
  limits?: {
    image_size: number
    grid: { rows: number, columns: number }
    codebook_size: number
    max_length: number
    sizes: string[]
    max_steps: number
  }
  tasks?: Manifest['tasks']
  digests?: Record<string, string> // sha256 by file name
  quality?: Manifest['quality']
  concepts?: string[]
}

/** A model on loan. `release` it once, whatever happened. */
export type LoadedModel = { manifest: Manifest, text: TextCodec, submit: EngineClient['submit'], release: () => void }
export type Registry = ReturnType<typeof createRegistry>

export function createRegistry ({ modelsFolder, defaultModel, memoryBudgetMb, graceMs, ...options }: RegistryOptions) {
  const reserved = new Map<string, number>() // bytes of each model that is loaded or being loaded
  const budget = memoryBudgetMb === 0 ? Infinity : memoryBudgetMb * 2 ** 20
  const models = new Map<string, Model>()
  let draining = false
  let onIdle = () => {}

  for (const folder of findPackages(modelsFolder)) {
    const model = createModel(folder, { ...options, reserve, free: name => { reserved.delete(name) } })
    models.set(model.name, model)
  }

  return { defaultModel, list: () => [...models.values()].map(summarize), describe, acquire, load, unload, close }

  /** Throws `model_not_found`. */
  function describe (name: string): ModelDetails {
    return detail(find(name))
  }

  /** Lends a model, loading it first if need be. Rejects with `model_not_found`, `model_unavailable`, `model_loading`, `engine_restarting` or `draining`. */
  async function acquire (name = defaultModel): Promise<LoadedModel> {
    if (draining) throw drainingError()
    const model = find(name)
    model.users++
    model.usedAt = performance.now()
    const release = once(() => {
      model.users--
      onIdle()
    })
    try {
      await model.ready()
      return { manifest: model.manifest!, text: model.text!, submit: model.submit, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Loads a model ahead of its first request, however long it takes. */
  async function load (name: string) {
    if (draining) throw drainingError()
    const model = find(name)
    model.usedAt = performance.now()
    await model.load()
  }

  /** Ends a model's process; its requests get the grace time to finish. */
  async function unload (name: string) {
    await find(name).unload(graceMs)
  }

  /** Lends no more, waits up to `graceMs` for what is lent, then ends every engine process. */
  async function close ({ graceMs }: { graceMs: number }) {
    draining = true
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, graceMs)
      onIdle = () => {
        if ([...models.values()].some(({ users }) => users > 0)) return
        clearTimeout(timer)
        resolve()
      }
      onIdle()
    })
    await Promise.all([...models.values()].map(model => model.unload(0)))
  }

  /** Puts a model on the memory account, ending the least recently used idle ones to make room. */
  async function reserve (name: string, manifest: Manifest) {
    if (draining) throw drainingError()
    const bytes = residentBytes(manifest, options.slots)
    if (bytes > budget) throw new ServerError('model_unavailable', 'the memory budget is too small for it')
    while (sum(reserved.values()) + bytes > budget) {
      const [victim] = [...models.values()]
        .filter(model => model.name !== name && model.users === 0 && model.state !== 'loading' && reserved.has(model.name))
        .sort((a, b) => a.usedAt - b.usedAt)
      if (!victim) throw new ServerError('model_unavailable', 'The memory budget is taken by models in use', { retryAfterSeconds: 5 })
      options.log.info({ model: victim.name, for: name }, 'model evicted')
      await victim.unload(0)
    }
    reserved.set(name, bytes)
  }

  function find (name: string) {
    const model = models.get(name)
    if (!model) throw new ServerError('model_not_found', `There is no model ${JSON.stringify(name)}`)
    return model
  }
}

/** Folders that hold a `manifest.json`, in order of name. */
function findPackages (modelsFolder: string) {
  return readdirSync(modelsFolder).sort().map(name => join(modelsFolder, name)).filter(folder => existsSync(join(folder, 'manifest.json')))
}

/** What a loaded model is taken to need: files hold half precision and memory single, so twice their size; all places of the KV cache; activations and the process itself. */
function residentBytes (manifest: Manifest, slots: number) {
  return 2 * sum(filesOf(manifest).map(({ bytes }) => bytes)) + cacheBytes(manifest.language_model, slots) + 128 * 2 ** 20
}

/** Single-precision keys and values of every slot, and of the spare one. */
function cacheBytes ({ layers, kv_heads: kvHeads, head_dim: headDim, max_length: maxLength }: Manifest['language_model'], slots: number) {
  return (slots + 1) * layers * 2 * kvHeads * headDim * maxLength * 4
}

function summarize ({ name, manifest, state, device }: Model): ModelSummary {
  return { name, family: manifest?.family ?? 'unknown', version: manifest?.version ?? 'unknown', state, device }
}

function detail (model: Model): ModelDetails {
  const { manifest } = model
  const summary = { ...summarize(model), detail: model.detail }
  if (!manifest) return summary
  return {
    ...summary,
    description: manifest.description,
    limits: {
      image_size: manifest.image.size,
      grid: manifest.image.grid,
      codebook_size: manifest.visual_tokenizer.codebook_size,
      max_length: manifest.language_model.max_length,
      sizes: manifest.pixel_decoder?.sizes ?? [],
      max_steps: manifest.pixel_decoder?.max_steps ?? 0
    },
    tasks: manifest.tasks,
    digests: Object.fromEntries(filesOf(manifest).map(({ file, sha256 }) => [file, sha256])),
    quality: manifest.quality,
    ...(manifest.concepts && { concepts: manifest.concepts })
  }
}

function drainingError () {
  return new ServerError('draining', 'The server is shutting down', { retryAfterSeconds: 5 })
}

function sum (values: Iterable<number>) {
  let total = 0
  for (const value of values) total += value
  return total
}

function once (run: () => void) {
  let done = false
  return () => {
    if (done) return
    done = true
    run()
  }
}
