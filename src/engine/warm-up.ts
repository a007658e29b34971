/**
 * The first work of an engine, done before it says that it is ready: what does not fit the manifest or the device fails
 * now and not at a client's request, and no client waits for what a device does once.
 */
import type { Manifest } from '../package/manifest.ts'
import type { FromEngine } from '../pipe/messages.ts'
import type { Picture, Work } from '../pipe/work.ts'

/** One short work of each kind that the model can do. */
export function firstWorks ({
  image: { size },
  ids,
  tasks: { generate },
  pixel_decoder: decoder,
  graphs
}: Manifest): Work[] {
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
  for (const steps of [...(graphs.painter ? [0] : []), ...(graphs.denoiser ? [1] : [])]) {
    const painting = { width, height, steps, decoderGuidanceScale: generate.decoder_guidance_scale, seed: 0 }
    works.push({ task: 'generate', segments: segments.slice(0, 1), sampling, guidanceScale: 1, painting, n: 1 })
  }
  return works
}

/** Runs them one after the other. Rejects with what fails; a work that is over a limit of the engine is left out. */
export async function warmUp (manifest: Manifest, run: (work: Work) => Promise<FromEngine>): Promise<void> {
  for (const work of firstWorks(manifest)) {
    const end = await run(work)
    if (end.kind === 'error' && end.code === 'internal_error') {
      throw new Error(`the first ${work.task} fails: ${end.detail}`)
    }
  }
}
