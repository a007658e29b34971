/** Painted pictures: how far they lie from true ones, and of drawn prompts whether they show what was asked for. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../src/bulk/files.ts'
import { DataError } from '../data/files.ts'
import { readOrders, readScenes, type Prompt, type Scene } from '../data/scenes.ts'
import { alignmentFigures, judgePicture, type Verdict } from '../judge/alignment.ts'
import { openNetwork } from '../judge/network.ts'
import { plain, resample, type Figure } from '../metrics/bootstrap.ts'
import { kernelDistance } from '../metrics/kernel-distance.ts'
import { frechetDistance, gaussianOf } from '../metrics/frechet.ts'
import { askEach, base64, readPicture, seedOf, type Outcome, type Run } from './run.ts'

type Answer = { images: { data: string; visual_tokens: number[] }[] }

/** Of a painted picture and of the true one: what networks make of them. */
type Seen = { features: Float32Array; scene?: Scene; verdict?: Verdict }
type Painted = { ours: Seen; truth: Seen }

export async function evaluatePaintings (run: Run): Promise<Outcome> {
  const orders = readOrders(run.source, run.seed, run.limit)
  const eyes = await openEyes(run)
  if (run.pictures !== undefined) preparePlace(run.pictures)
  const { answered, failed } = await askEach(
    run,
    orders,
    '/generate',
    ({ prompt }, index) => ({ prompt: layOut(prompt), format: 'png', seed: seedOf(run, index) }),
    async ({ images }: Answer, { id, file }) => {
      const { data, visual_tokens: tokens } = images[0]!
      const picture = Buffer.from(data, 'base64')
      if (run.pictures !== undefined) writeFileSync(join(run.pictures, `${id}.png`), picture)
      return { tokens, ours: await eyes.look(picture, id), truth: await eyes.look(readPicture(file), id) }
    }
  )
  await eyes.close()
  return {
    figures: { ...alignment(answered, run.seed), ...distances(answered, run.seed) },
    records: [
      ...answered.map(({ item: { id, prompt }, tokens, ours: { scene, verdict } }) => ({
        id,
        prompt,
        visual_tokens: tokens,
        wanted: scene,
        seen: verdict
      })),
      ...failed
    ]
  }
}

function preparePlace (folder: string): void {
  try {
    makeFolder(folder)
  } catch (cause) {
    throw new DataError(`${folder} cannot be made: ${(cause as Error).message}`, { cause })
  }
}

function layOut (prompt: Prompt): unknown {
  return typeof prompt === 'string'
    ? prompt
    : prompt.map(part => (part.type === 'text' ? part : { type: 'image', image: base64(part.file) }))
}

/** The networks: one for features, and where the facts of the scenes are known one that recognises things. */
async function openEyes ({ source, judge: judgeFile, features: featuresFile }: Run) {
  const scenes = readScenes(source)
  const judge = scenes && existsSync(judgeFile) ? await openNetwork(judgeFile) : undefined
  const network = judge && featuresFile === judgeFile ? judge : await openNetwork(featuresFile)
  return {
    async look (picture: Uint8Array, id: number): Promise<Seen> {
      const scene = scenes?.byImage.get(id)
      return {
        features: await network.features(picture),
        ...(scene && judge?.recognise && { scene, verdict: await judgePicture(judge.recognise, picture, scene) })
      }
    },
    async close () {
      for (const each of new Set([judge, network])) await each?.close()
    }
  }
}

/** By kind of prompt: what was recognised, and what the judge recognises in true pictures, its own ceiling. */
function alignment (painted: Painted[], seed: number): Record<string, Figure> {
  const kindOf = ({ ours: { scene } }: Painted) =>
    scene && (scene.case ?? `${scene.concepts.length} ${scene.concepts.length === 1 ? 'object' : 'objects'}`)
  const kinds = new Set(
    painted
      .map(kindOf)
      .filter(kind => kind !== undefined)
      .sort()
  )
  const figures: Record<string, Figure> = {}
  for (const kind of kinds) {
    const group = painted.filter(each => kindOf(each) === kind)
    Object.assign(
      figures,
      alignmentFigures(
        kind,
        group.map(({ ours }) => ours.verdict!),
        seed
      ),
      alignmentFigures(
        `judge on true pictures, ${kind}`,
        group.map(({ truth }) => truth.verdict!),
        seed
      )
    )
  }
  return figures
}

const resamplings = 20
const mostCompared = 2000 // pictures: the kernel distance compares each with each
const largestResampled = 800 // pictures or features: above, one distance takes too long to be drawn again and again

/** The Fréchet distance has 1.96 standard deviations of resampled ones around it, where that is cheap enough. */
function distances (painted: Painted[], seed: number): Record<string, Figure> {
  if (painted.length < 2) return {}
  const of = (side: keyof Painted, places: number[]) => gaussianOf(places.map(place => painted[place]![side].features))
  const between = (places: number[]) => frechetDistance(of('ours', places), of('truth', places))
  const value = between([...painted.keys()])
  const compared = painted.slice(0, mostCompared)
  const kernel = kernelDistance(
    compared.map(({ ours }) => ours.features),
    compared.map(({ truth }) => truth.features)
  )
  if (Math.min(painted.length, painted[0]!.ours.features.length) > largestResampled) {
    return { 'kernel distance': kernel, 'Fréchet distance': plain(value, painted.length) }
  }
  const values = resample(painted.length, resamplings, seed, between)
  const middle = values.reduce((sum, each) => sum + each, 0) / values.length
  const spread = Math.sqrt(values.reduce((sum, each) => sum + (each - middle) ** 2, 0) / (values.length - 1))
  return {
    'kernel distance': kernel,
    'Fréchet distance': { value, low: value - 1.96 * spread, high: value + 1.96 * spread, samples: painted.length }
  }
}
