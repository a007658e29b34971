import fc from 'fast-check'
import t from 'tap'
import { createNoiseSchedule } from '../../src/graphs/noise-schedule.ts'

const ddim = {
  kind: 'ddim',
  train_steps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  steps_offset: 1,
  set_alpha_to_one: false
} as const

t.test('strictly falling, as many steps as asked', async t => {
  fc.assert(
    fc.property(
      fc.constantFrom(ddim, { ...ddim, set_alpha_to_one: true }, { kind: 'flow' } as const),
      fc.integer({ min: 1, max: 200 }),
      (options, steps) => {
        const { timesteps, noiseLevels } = createNoiseSchedule(options, steps)
        return (
          timesteps.length === steps &&
          noiseLevels.length === steps + 1 &&
          noiseLevels.every((level, i) => i === 0 || level < noiseLevels[i - 1]!)
        )
      }
    ),
    { numRuns: 300 }
  )
  t.pass()
})

t.test('flow ends at zero noise, and a true velocity leads to the picture', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.float({ min: -2, max: 2, noNaN: true }),
      fc.float({ min: -1, max: 1, noNaN: true }),
      (steps, noise, picture) => {
        const { timesteps, noiseLevels, advance } = createNoiseSchedule({ kind: 'flow' }, steps)
        let latents = Float32Array.of(noise) as Float32Array
        for (const i of timesteps.keys()) latents = advance(latents, Float32Array.of(picture - noise), i)
        return noiseLevels[steps] === 0 && timesteps[0] === 0 && Math.abs(latents[0]! - picture) < 1e-4
      }
    )
  )
  t.pass()
})

t.test('ddim has the published timesteps and levels', async t => {
  t.strictSame(
    createNoiseSchedule(ddim, 25).timesteps,
    Array.from({ length: 25 }, (_, i) => 961 - 40 * i)
  )
  t.strictSame(
    createNoiseSchedule(ddim, 50).timesteps,
    Array.from({ length: 50 }, (_, i) => 981 - 20 * i)
  )
  const { noiseLevels } = createNoiseSchedule(ddim, 50)
  const alphaAt = (index: number) => 1 - noiseLevels[index]! ** 2
  const expected: [number, number][] = [
    [0, 0.0057755],
    [1, 0.0072817],
    [25, 0.3022954],
    [50, 0.99914998]
  ]
  for (const [index, alpha] of expected) t.ok(Math.abs(alphaAt(index) - alpha) < 1e-6, `step ${index}`)
  t.equal(createNoiseSchedule({ ...ddim, set_alpha_to_one: true }, 50).noiseLevels[50], 0)
})

t.test('ddim with the true noise keeps to the straight way between picture and noise', async t => {
  const { timesteps, noiseLevels, advance } = createNoiseSchedule(ddim, 10)
  const [picture, noise] = [0.4, -1.1]
  const at = (level: number) => Math.sqrt(1 - level * level) * picture + level * noise
  let latents = Float32Array.of(at(noiseLevels[0]!)) as Float32Array
  for (const i of timesteps.keys()) {
    latents = advance(latents, Float32Array.of(noise), i)
    t.ok(Math.abs(latents[0]! - at(noiseLevels[i + 1]!)) < 1e-4)
  }
})
