/** A picture on its way from codes to pixels, and the paint step that moves several of them at once. */
import { createNoiseSchedule } from '../../graphs/noise-schedule.ts'
import type { Condition, DenoiserRow, PixelDecoder, Pixels } from '../../graphs/pixel-decoder.ts'
import type { PixelDecoderShape } from '../../package/manifest.ts'
import type { Painting } from '../../pipe/work.ts'
import { createRandom } from '../drawing/random.ts'

const picturesAtOnce = 8 // a unit must not keep the others waiting for long
const pixelsAtOnce = 2 ** 20

export type PaintJob = ReturnType<typeof createPaintJob>

/** `codes` holds 1 to N codes; the first noise is drawn from `seed`. */
export function createPaintJob (codes: number[], painting: Painting, seed: number, decoder: PixelDecoderShape) {
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
    latents: Float32Array.from({ length: decoder.latent_channels * frame.width * frame.height }, random.gaussian) as Float32Array,
    step: 0, // steps done
    condition: undefined as Condition | undefined,
    result: undefined as Pixels | undefined
  }
}

/** The jobs of the next paint step: those that have no condition yet, else the oldest and those of its size. */
export function nextPaintJobs<J extends PaintJob> (jobs: J[]): J[] {
  const fresh = jobs.filter(({ condition }) => condition === undefined)
  if (fresh.length > 0) return fresh.slice(0, picturesAtOnce)
  const oldest = jobs[0]!
  const sameSize = jobs.filter(({ frame }) => frame.width === oldest.frame.width && frame.height === oldest.frame.height)
  return sameSize.slice(0, Math.max(1, Math.min(picturesAtOnce, Math.floor(pixelsAtOnce / oldest.area))))
}

/** Moves each job by one: to its condition (and to its end, if the painter's picture is what was asked for), or by one denoising step. */
export async function paintStep (jobs: PaintJob[], decoder: PixelDecoder): Promise<void> {
  if (jobs[0]!.condition === undefined) return setConditions(jobs, decoder)
  const predictions = await predict(jobs, decoder)
  for (const [i, job] of jobs.entries()) {
    job.latents = job.schedule.advance(job.latents, predictions[i]!, job.step)
    job.step++
    if (job.step === job.steps) job.result = await decoder.finish(job.latents, job.frame)
  }
}

async function setConditions (jobs: PaintJob[], decoder: PixelDecoder): Promise<void> {
  const conditions = await decoder.conditions(jobs.map(({ codes }) => codes))
  for (const [i, job] of jobs.entries()) {
    const { picture } = job.condition = conditions[i]!
    if (job.steps === 0 || !decoder.canDenoise) job.result = decoder.painted(picture)
  }
}

/** Predictions with guidance: u + s * (c - u). Conditional rows come first in the batch, then the unconditional ones of guided jobs. */
async function predict (jobs: PaintJob[], decoder: PixelDecoder): Promise<Float32Array[]> {
  const guided = jobs.filter(({ guidanceScale }) => guidanceScale !== 1)
  const rows = [
    ...jobs.map(job => rowOf(job, true)),
    ...guided.map(job => rowOf(job, false))
  ]
  const predictions = await decoder.denoise(rows, jobs[0]!.frame)
  for (const [i, job] of guided.entries()) {
    const place = jobs.indexOf(job)
    const without = predictions[jobs.length + i]!
    predictions[place] = predictions[place]!.map((c, x) => without[x]! + job.guidanceScale * (c - without[x]!))
  }
  return predictions.slice(0, jobs.length)
}

function rowOf ({ condition, latents, schedule, step }: PaintJob, isConditional: boolean): DenoiserRow {
  return { ...condition!, isConditional, latents, timestep: schedule.timesteps[step]! }
}
