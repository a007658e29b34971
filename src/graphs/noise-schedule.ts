/** The way from noise to picture: which timesteps the denoiser sees, and how its prediction moves the latents. */
import type { NoiseSchedule as ScheduleOptions } from '../package/pixel-decoder.ts'

export type NoiseSchedule = {
  /** What the denoiser is told at each step. */
  timesteps: number[] // [steps]
  /** Share of noise before each step and after the last: strictly falling. */
  noiseLevels: number[] // [steps + 1]
  /** The latents after step `index`, from those before it and the denoiser's prediction. */
  advance(latents: Float32Array, prediction: Float32Array, index: number): Float32Array
}

export function createNoiseSchedule (options: ScheduleOptions, steps: number): NoiseSchedule {
  return options.kind === 'flow' ? flowSchedule(steps) : ddimSchedule(options, steps)
}

/**
 * Rectified flow: latents are (1 - t) * noise + t * picture, the prediction is picture - noise, Euler steps of equal
 * length.
 */
function flowSchedule (steps: number): NoiseSchedule {
  return {
    timesteps: Array.from({ length: steps }, (_, i) => i / steps),
    noiseLevels: Array.from({ length: steps + 1 }, (_, i) => 1 - i / steps),
    advance: (latents, prediction) => latents.map((x, i) => x + (prediction[i] ?? NaN) / steps)
  }
}

/**
 * DDIM with eta 0 (arXiv 2010.02502, equation 12), timesteps in "leading" spacing, betas linear in their square roots.
 */
function ddimSchedule (options: Extract<ScheduleOptions, { kind: 'ddim' }>, steps: number): NoiseSchedule {
  const alphas = cumulativeAlphas(options)
  const alphaAt = (t: number) => alphas[t] ?? NaN
  const stride = Math.floor(options.train_steps / steps)
  const last = options.set_alpha_to_one ? 1 : alphaAt(0)
  const timesteps = Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + options.steps_offset)
  const behind = options.steps_offset - stride
  const path = [...timesteps.map(alphaAt), behind < 0 ? last : alphaAt(behind)]
  return {
    timesteps,
    noiseLevels: path.map(alpha => Math.sqrt(1 - alpha)),
    advance (latents, prediction, index) {
      const [now = NaN, next = NaN] = path.slice(index)
      return latents.map((x, i) => {
        const noise = prediction[i] ?? NaN
        const picture = (x - Math.sqrt(1 - now) * noise) / Math.sqrt(now)
        return Math.sqrt(next) * picture + Math.sqrt(1 - next) * noise
      })
    }
  }
}

function cumulativeAlphas ({
  train_steps: count,
  beta_start: start,
  beta_end: end
}: Extract<ScheduleOptions, { kind: 'ddim' }>): number[] {
  let product = 1
  return Array.from({ length: count }, (_, i) => {
    const root = Math.sqrt(start) + ((Math.sqrt(end) - Math.sqrt(start)) * i) / (count - 1)
    product *= 1 - root * root
    return product
  })
}
