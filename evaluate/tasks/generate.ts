/** Painted pictures: their Fréchet distance from true ones, and of drawn prompts whether they show what was asked for. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOrders, readScenes, type Ordered, type Prompt, type Scene } from '../data/scenes.ts'
import { alignmentFigures, judgePicture, type Recogniser, type Verdict } from '../judge/alignment.ts'
import { openNetwork } from '../judge/network.ts'
import { plain, resample, type Figure } from '../metrics/bootstrap.ts'
import { frechetDistance, gaussianOf } from '../metrics/frechet.ts'
import { askEach, base64, seedOf, type Outcome, type Run } from './run.ts'

type Answer = { images: { data: string, visual_tokens: number[] }[] }
type Painted = { id: number, file: string, picture: Uint8Array }

export async function evaluatePaintings (run: Run): Promise<Outcome> {
  const { answered, failed } = await askEach<Ordered, Answer>(run, readOrders(run.source, run.seed, run.limit), '/generate',
    ({ prompt }, index) => ({ prompt: layOut(prompt), seed: seedOf(run, index) }))
  const painted = answered.map(({ item: { id, file }, answer }) => ({ id, file, picture: Buffer.from(answer.images[0]!.data, 'base64') }))
  if (run.pictures !== undefined) keep(run.pictures, painted)
  const { figures, verdicts } = await judgeAll(run, painted)
  const records = answered.map(({ item, answer }) => {
    const verdict = verdicts.get(item.id)
    return { id: item.id, prompt: item.prompt, visual_tokens: answer.images[0]!.visual_tokens, ...verdict && { wanted: verdict.scene, seen: verdict.seen } }
  })
  return { figures: { ...figures, ...await distance(run, painted) }, records: [...records, ...failed] }
}

function layOut (prompt: Prompt): unknown {
  return typeof prompt === 'string' ? prompt : prompt.map(part => part.type === 'text' ? part : { type: 'image', image: base64(part.file) })
}

function keep (folder: string, painted: Painted[]): void {
  mkdirSync(folder, { recursive: true })
  for (const { id, picture } of painted) writeFileSync(join(folder, `${id}.png`), picture)
}

/** What a judge sees in the painted pictures, and in the true ones: its own ceiling. Nothing where no facts are known. */
async function judgeAll ({ source, judge: file, seed }: Run, painted: Painted[]) {
  const scenes = readScenes(source)
  const verdicts = new Map<number, { scene: Scene, seen: Verdict }>()
  if (!scenes || !existsSync(file)) return { figures: {}, verdicts }
  const network = await openNetwork(file)
  const recognise = network.recognise
  const groups = new Map<string, { painted: Verdict[], truth: Verdict[] }>()
  for (const { id, file, picture } of recognise ? painted : []) {
    const scene = scenes.byImage.get(id)
    if (!scene) continue
    const seen = await judgePicture(recognise as Recogniser, picture, scene)
    verdicts.set(id, { scene, seen })
    const name = scene.case ?? `${scene.concepts.length} ${scene.concepts.length === 1 ? 'object' : 'objects'}`
    const group = groups.get(name) ?? { painted: [], truth: [] }
    group.painted.push(seen)
    group.truth.push(await judgePicture(recognise as Recogniser, readFileSync(file), scene))
    groups.set(name, group)
  }
  await network.close()
  const figures: Record<string, Figure> = {}
  for (const [name, { painted, truth }] of [...groups].sort(([a], [b]) => a < b ? -1 : 1)) {
    Object.assign(figures, alignmentFigures(name, painted, seed), alignmentFigures(`judge on true pictures, ${name}`, truth, seed))
  }
  return { figures, verdicts }
}

const resamplings = 20
const largestResampled = 800 // features or pictures: above, one distance takes too long to be drawn again and again

/** The distance, and where it is cheap enough 1.96 standard deviations of resampled ones around it. */
async function distance ({ features: file, seed }: Run, painted: Painted[]): Promise<Record<string, Figure>> {
  if (painted.length < 2 || !existsSync(file)) return {}
  const network = await openNetwork(file)
  const ours: Float32Array[] = []
  const truth: Float32Array[] = []
  for (const { file, picture } of painted) {
    ours.push(await network.features(picture))
    truth.push(await network.features(readFileSync(file)))
  }
  await network.close()
  const between = (places: number[]) => frechetDistance(gaussianOf(places.map(place => ours[place]!)), gaussianOf(places.map(place => truth[place]!)))
  const value = between([...painted.keys()])
  if (Math.min(painted.length, ours[0]!.length) > largestResampled) return { 'Fréchet distance': plain(value, painted.length) }
  const values = resample(painted.length, resamplings, seed, between)
  const middle = values.reduce((sum, each) => sum + each, 0) / values.length
  const spread = Math.sqrt(values.reduce((sum, each) => sum + (each - middle) ** 2, 0) / (values.length - 1))
  return { 'Fréchet distance': { value, low: value - 1.96 * spread, high: value + 1.96 * spread, samples: painted.length } }
}
