/** A model in the words of the wire. */
import { filesOf } from '../package/package.ts'
import type { ModelDetails, ModelSummary } from '../schemas/models.ts'
import type { Model } from './model.ts'

export function summarize ({ name, manifest, state, device }: Model): ModelSummary {
  return { name, family: manifest?.family ?? 'unknown', version: manifest?.version ?? 'unknown', state, device }
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
