/**
 * The first work of an engine, done before it says that it is ready: what does not fit the manifest or the device fails
 * now and not at a client's request, and no client waits for what a device does once.
 */
import type { Manifest } from '../package/manifest.ts'
import type { FromEngine } from '../pipe/messages.ts'
import type { Picture, Work } from '../pipe/work.ts'

const rowsOfGuided = 2 // a picture and what leads it away from no prompt

/**
 * One short work of each kind that the model can do. Where painting takes but one run of a painter, the last is as wide
 * as one may be, so that the runtime takes its memory for wide batches now and not one day.
 */
export function firstWorks (
  { image: { size }, ids, tasks: { generate }, pixel_decoder: decoder, graphs }: Manifest,
  slots: number
): Work[] {
  const picture: Picture = {
    pixels: new Uint8Array(3 * size * size),
    selection: { rule: 'threshold', keepThreshold: 0.5, seed: 0 }
  }
  const segments = [
    { kind: 'ids' as const, ids: [ids.image_start] },
    { kind: 'features' as const, picture },
    { kind: 'ids' as const, ids: [ids.image_end] }
  ]
  const sampling = { maxTokens: 2, minTokens: 2, temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 }
  const works: Work[] = [
    { task: 'tokenize', picture },
    { task: 'text', segments, sampling, numBeams: 1, lengthPenalty: 1, earlyStopping: false, n: 1 }
  ]
  if (decoder === undefined) return works
  const [width = 0, height = 0] = generate.size.split('x').map(Number)
  const painted = (steps: number, guidanceScale = 1, n = 1): Work => {
    const painting = { width, height, steps, decoderGuidanceScale: generate.decoder_guidance_scale, seed: 0 }
    return { task: 'generate', segments: segments.slice(0, 1), sampling, guidanceScale, painting, n }
  }
  if (graphs.denoiser) works.push(painted(1))
  if (graphs.painter) works.push(painted(0), painted(0, 2, Math.max(1, Math.floor(slots / rowsOfGuided))))
  return works
}

/** Runs them one after the other. Rejects with what fails; a work that is over a limit of the engine is left out. */
export async function warmUp (
  manifest: Manifest,
  slots: number,
  run: (work: Work) => Promise<FromEngine>
): Promise<void> {
  for (const work of firstWorks(manifest, slots)) {
    const end = await run(work)
    if (end.kind === 'error' && end.code === 'internal_error') {
      throw new Error(`the first ${work.task} fails: ${end.detail}`)
    }
  }
}
