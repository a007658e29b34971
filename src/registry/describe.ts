/** A model in the words of the wire. */
import { filesOf } from '../package/package.ts'
import type { Device } from '../devices/device.ts'
import type { DeviceState } from '../schemas/devices.ts'
import type { ModelDetails, ModelSummary } from '../schemas/models.ts'
import type { Budget } from './budget.ts'
import type { Model } from './model.ts'

export function summarize ({ name, manifest, state, wanted, placement }: Model): ModelSummary {
  return {
    name,
    family: manifest?.family ?? 'unknown',
    version: manifest?.version ?? 'unknown',
    state,
    device: placement?.device.id ?? wanted,
    placement: {
      wanted,
      device: placement?.device.id ?? null,
      host_bytes: placement?.bytes.host ?? 0,
      device_bytes: placement?.bytes.device ?? 0,
      reason: placement?.reason ?? null
    }
  }
}

/** All that is told of one model; no more than why it failed where its manifest cannot be read. */
export function describe (model: Model): ModelDetails {
  const { manifest } = model
  const summary = { ...summarize(model), detail: model.detail }
  if (!manifest) return summary
  return {
    ...summary,
    description: manifest.description,
    limits: {
      image_size: manifest.image.size,
      grid: manifest.image.grid,
      min_visual_tokens: manifest.visual_tokenizer.min_visual_tokens,
      codebook_size: manifest.visual_tokenizer.codebook_size,
      max_length: manifest.language_model.max_length,
      sizes: manifest.pixel_decoder?.sizes ?? [],
      max_steps: manifest.pixel_decoder?.max_steps ?? 0
    },
    tasks: manifest.tasks,
    digests: Object.fromEntries(filesOf(manifest).map(({ file, sha256 }) => [file, sha256])),
    quality: manifest.quality,
    ...(manifest.familiarity && { familiarity: manifest.familiarity }),
    ...(manifest.concepts && { concepts: manifest.concepts })
  }
}

/** A device, its account, and the models that lie there. */
export function describeDevice (device: Device, budget: Budget, models: Model[]): DeviceState {
  const { id } = device
  const limit = budget.limitOf(id)
  return {
    id,
    kind: device.kind,
    name: device.name,
    driver: device.driver,
    is_software: device.isSoftware,
    memory_bytes: device.memoryBytes,
    largest_buffer_bytes: device.largestBufferBytes,
    f16: device.f16,
    fault: device.fault,
    budget_bytes: finite(limit),
    used_bytes: budget.usedOf(id),
    free_bytes: finite(budget.freeOf(id)),
    models: models.filter(({ placement }) => placement?.device.id === id).map(({ name }) => name),
    engines: models.reduce(
      (sum, model) => sum + (model.placement?.device.id === id ? (model.loaded()?.pool.running() ?? 0) : 0),
      0
    )
  }
}

function finite (bytes: number) {
  return Number.isFinite(bytes) ? bytes : null
}
