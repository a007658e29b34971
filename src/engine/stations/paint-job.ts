/** A picture on its way from codes to pixels, and the paint step that moves several of them at once. */
import { createNoiseSchedule, type NoiseSchedule } from '../../graphs/noise-schedule.ts'
import type { Condition, DenoiserRow, Frame, PixelDecoder, Pixels } from '../../graphs/pixel-decoder.ts'
import type { PixelDecoderShape } from '../../package/pixel-decoder.ts'
import type { Painting } from '../../pipe/work.ts'
import { createRandom } from '../drawing/random.ts'
import { guide } from '../drawing/sampler.ts'

export const picturesAtOnce = 2 // each takes as long in a batch as alone, and the others must not wait for long
const pixelsAtOnce = 2 ** 20

export type PaintJob = {
  codes: number[]
  seed: number
  area: number
  guidanceScale: number
  steps: number
  step: number // steps done
  frame: Frame
  schedule: NoiseSchedule
  latents: Float32Array
  condition?: Condition // once the tokenizer decoder has run
  result?: Pixels // once it is painted
}

/** `codes` holds 1 to N codes; the first noise is drawn from `seed`. */
export function createPaintJob (
  codes: number[],
  painting: Painting,
  seed: number,
  decoder: PixelDecoderShape
): PaintJob {
  const { width, height, steps, decoderGuidanceScale: guidanceScale } = painting
  const frame = { width: width / decoder.latent_scale, height: height / decoder.latent_scale }
  const random = createRandom(seed, 'noise')
  return {
    codes,
    seed,
    area: width * height,
    guidanceScale,
    steps,
    frame,
    schedule: createNoiseSchedule(decoder.schedule, Math.max(steps, 1)),
    latents: Float32Array.from({ length: decoder.latent_channels * frame.width * frame.height }, random.gaussian),
    step: 0
  }
}

/** The jobs of the next paint step: those that have no condition yet, else the oldest and those of its size. */
export function nextPaintJobs<J extends PaintJob> (jobs: J[]): J[] {
  const fresh = jobs.filter(({ condition }) => condition === undefined)
  if (fresh.length > 0) return fresh.slice(0, picturesAtOnce)
  const [oldest] = jobs
  if (oldest === undefined) return []
  const sameSize = jobs.filter(
    ({ frame }) => frame.width === oldest.frame.width && frame.height === oldest.frame.height
  )
  return sameSize.slice(0, Math.max(1, Math.min(picturesAtOnce, Math.floor(pixelsAtOnce / oldest.area))))
}

/**
 * Moves each job by one: to its condition (and to its end, if the painter's picture is what was asked for), or by one
 * denoising step.
 */
export async function paintStep (jobs: PaintJob[], decoder: PixelDecoder): Promise<void> {
  if (jobs[0]?.condition === undefined) return setConditions(jobs, decoder)
  for (const [job, prediction] of await predict(jobs, decoder)) {
    job.latents = job.schedule.advance(job.latents, prediction, job.step)
    job.step++
    if (job.step === job.steps) job.result = await decoder.finish(job.latents, job.frame)
  }
}

async function setConditions (jobs: PaintJob[], decoder: PixelDecoder): Promise<void> {
  const conditions = await decoder.conditions(jobs.map(({ codes }) => codes))
  for (const [i, condition] of conditions.entries()) {
    const job = jobs[i]
    if (!job) continue
    job.condition = condition
    if (job.steps === 0 || !decoder.canDenoise) job.result = decoder.painted(condition.picture)
  }
}

/**
 * Predictions with guidance: u + s * (c - u). Conditional rows come first in the batch, then the unconditional ones of
 * guided jobs.
 */
async function predict (jobs: PaintJob[], decoder: PixelDecoder): Promise<Map<PaintJob, Float32Array>> {
  const guided = jobs.filter(({ guidanceScale }) => guidanceScale !== 1)
  const rows = [...jobs.flatMap(job => rowOf(job, true)), ...guided.flatMap(job => rowOf(job, false))]
  const [frame = { width: 0, height: 0 }] = jobs.map(job => job.frame)
  const predictions = await decoder.denoise(rows, frame)
  const unconditional = new Map(guided.map((job, i) => [job, predictions[jobs.length + i]]))
  return new Map(
    jobs.flatMap((job, i) => {
      const [told, without] = [predictions[i], unconditional.get(job)]
      return told ? [[job, without ? guide(told, without, job.guidanceScale) : told]] : []
    })
  )
}

function rowOf ({ condition, latents, schedule, step }: PaintJob, isConditional: boolean): DenoiserRow[] {
  return condition ? [{ ...condition, isConditional, latents, timestep: schedule.timesteps[step] ?? NaN }] : []
}
