/** Text, pictures and visual tokens become a picture: drawn by the language model, or painted as they are. */
import { seedOfSample, type PaintedPicture, type Painting, type Segment } from '../pipe/work.ts'
import { invalidField } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { Tell } from '../schemas/events.ts'
import type { DetokenizeRequest, GenerateRequest } from '../schemas/generate.ts'
import type { PromptPart } from '../schemas/prompt.ts'
import { followPainting } from './follow-painting.ts'
import { withModel, type Job, type LentModel } from './job.ts'
import { checkWork, pictureOf, readSegments, visualTokenIds, type PictureFile } from './picture.ts'
import { checkLength, checkPromptCharacters, readText } from './prompt.ts'
import { drawSeed } from './seed.ts'
import { selectionOptions } from './selection.ts'

/** Painted pictures before they are written as files. */
export type Pictures = {
  model: string
  pictures: PaintedPicture[]
  shownTokens: number // visual tokens of the prompt's pictures, part of its tokens
  usage: { prompt_tokens: number; visual_tokens: number; steps: number }
}

export async function generate (job: Job, request: GenerateRequest, tell?: Tell): Promise<Pictures> {
  const { seed = drawSeed() } = request
  const parts = readPrompt(job, request)

  return withModel(job, request, async model => {
    const { manifest, run } = model
    const { work, tokens } = planGenerate(job, model, parts, request, { seed, isFollowed: tell !== undefined })
    model.admit(work)
    const told = tell && followPainting(tell, manifest, request.format ?? 'png')
    const { pictures, visualTokens } = await run(
      { ...work, segments: await readSegments(job, manifest, work.segments) },
      { onPart: told?.onPart }
    )
    await told?.all()
    return {
      model: manifest.name,
      pictures,
      shownTokens: visualTokens,
      usage: {
        prompt_tokens: tokens + visualTokens,
        visual_tokens: pictures.reduce((sum, { codes }) => sum + codes.length, 0),
        steps: work.painting.steps
      }
    }
  })
}

/** Paints visual tokens without the language model. */
export async function detokenize (job: Job, request: DetokenizeRequest): Promise<Pictures> {
  const { visual_tokens: codes, seed = drawSeed() } = request
  return withModel(job, request, async model => {
    const { manifest, run } = model
    const work = planDetokenize(job, manifest, request, seed)
    model.admit(work)
    const { pictures } = await run(work)
    return {
      model: manifest.name,
      pictures,
      shownTokens: 0,
      usage: { prompt_tokens: 0, visual_tokens: codes.length, steps: work.painting.steps }
    }
  })
}

/** The work of a request, its pictures not read yet. Throws all that can be refused before. */
export function planGenerate (
  job: Job,
  model: Pick<LentModel, 'manifest' | 'text'>,
  parts: PromptPart[],
  request: GenerateRequest,
  { seed, isFollowed }: { seed: number; isFollowed: boolean }
) {
  const { manifest } = model
  const defaults = manifest.tasks.generate
  const isMixed = parts.some(({ type }) => type !== 'text')
  const painting = paintingOptions(manifest, { ...request, guidance_scale: request.decoder_guidance_scale }, seed)
  const { segments, length, tokens } = layOutPrompt(job, model, parts, request, seed)
  checkLength(manifest, length, defaults.max_tokens)
  const work = {
    task: 'generate' as const,
    segments,
    sampling: {
      maxTokens: defaults.max_tokens,
      minTokens: defaults.min_tokens,
      temperature: request.temperature ?? defaults.temperature,
      topP: request.top_p ?? defaults.top_p,
      topK: request.top_k ?? defaults.top_k,
      repetitionPenalty: 1,
      seed
    },
    guidanceScale: request.guidance_scale ?? (isMixed ? defaults.mixed_guidance_scale : defaults.guidance_scale),
    painting,
    n: request.n ?? 1,
    ...(isFollowed && request.previews && { previews: request.previews })
  }
  checkWork(job, manifest, work)
  return { work, tokens }
}

/** The work of a request. Throws all that can be refused before. */
export function planDetokenize (job: Job, manifest: Manifest, request: DetokenizeRequest, seed: number) {
  const { visual_tokens: codes } = request
  visualTokenIds(manifest, codes, '/visual_tokens')
  const work = { task: 'detokenize' as const, codes, painting: paintingOptions(manifest, request, seed) }
  checkWork(job, manifest, work)
  return work
}

/**
 * Parts with their texts as the model reads them; one that says nothing is empty. Throws `invalid_field` where all are,
 * and `too_large`.
 */
export function readPrompt ({ limits }: Job, { prompt }: GenerateRequest): PromptPart[] {
  const sent: PromptPart[] = typeof prompt === 'string' ? [{ type: 'text', text: prompt }] : prompt
  checkPromptCharacters(
    sent.map(part => (part.type === 'text' ? part.text : '')),
    limits
  )
  const parts = sent.map(part => (part.type === 'text' ? { ...part, text: readText(part.text) } : part))
  if (parts.every(part => part.type === 'text' && part.text === '')) throw invalidField('/prompt', 'must not be blank')
  return parts
}

/**
 * Parts in order, bare, then the start of a picture. `length` counts a picture as all its patches, `tokens` not at all.
 * Picture i draws its patches with seed + i.
 */
function layOutPrompt (
  job: Job,
  { manifest, text }: Pick<LentModel, 'manifest' | 'text'>,
  parts: PromptPart[],
  request: GenerateRequest,
  seed: number
) {
  const { ids } = manifest
  const segments: Segment<PictureFile>[] = []
  let pictures = 0
  let tokens = 0
  for (const [index, part] of parts.entries()) {
    const pointer = `/prompt/${index}`
    if (part.type === 'image') {
      const selection = selectionOptions(manifest, request, seedOfSample(seed, pictures++))
      segments.push({ kind: 'codes', picture: pictureOf(job, manifest, part.image, `${pointer}/image`, selection) })
      continue
    }
    if (part.type === 'text' && part.text === '') continue
    const partIds =
      part.type === 'text'
        ? text.encode(part.text)
        : visualTokenIds(manifest, part.visual_tokens, `${pointer}/visual_tokens`)
    tokens += partIds.length
    segments.push({ kind: 'ids', ids: partIds })
  }
  if (tokens + pictures === 0) throw invalidField('/prompt', 'holds nothing that the model can read')
  segments.push({ kind: 'ids', ids: [ids.image_start] })
  return { segments, tokens, length: tokens + pictures * patchesOf(manifest) + 1 }
}

/** Throws `invalid_field` for what the model cannot paint, and for a model that cannot paint. */
function paintingOptions (
  { pixel_decoder: decoder, graphs, tasks: { generate: defaults } }: Manifest,
  request: Pick<DetokenizeRequest, 'size' | 'steps'> & { guidance_scale?: number | undefined },
  seed: number
): Painting {
  const {
    size = defaults.size,
    steps = defaults.steps,
    guidance_scale: decoderGuidanceScale = defaults.decoder_guidance_scale
  } = request
  if (decoder === undefined) throw invalidField('/model', 'cannot paint: its package has no pixel decoder')
  if (!decoder.sizes.includes(size)) throw invalidField('/size', `must be one of ${decoder.sizes.join(', ')}`)
  if (steps > decoder.max_steps) throw invalidField('/steps', `must be <= ${decoder.max_steps}`)
  if (steps > 0 && !graphs.denoiser) throw invalidField('/steps', 'must be 0: the model paints with its painter alone')
  if (steps === 0 && !graphs.painter) throw invalidField('/steps', 'must be >= 1: the model has no painter')
  const [width = 0, height = 0] = size.split('x').map(Number)
  return { width, height, steps, decoderGuidanceScale, seed }
}
