/** What a caption takes by the patches that stay of its picture: merging, reading, and each step of writing. */
import { resolve } from 'node:path'
import { patchesOf } from '../src/package/patches.ts'
import type { Encoding } from '../src/pipe/work.ts'
import { captionWork, engineShare, modelFolder, openBareEngine, readPixels } from './engine.ts'
import { table, tellNumber, tellSpread } from './report.ts'
import type { Plan } from './rounds.ts'
import { lineInShares, spreadOf, type Line } from './statistics.ts'

const shares = [1 / 8, 1 / 4, 1 / 2, 3 / 4, 1] // of all patches, where no others are named
const tokens = 9 // of each text: what is read gives the first, each step one more
const aligned = 8 // tokens that a prompt is filled up to a multiple of
const slots = 4 // sequences that there is memory for

/** Milliseconds of one caption, its picture encoded beforehand. `steps`: a step of writing. */
type Times = { merging: number[]; reading: number[]; steps: number[] }

/** The section of the report: captions one after the other, another number of patches each. */
export async function measurePrefill (
  { kept, model = modelFolder }: { kept: (number | undefined)[]; model?: string | undefined },
  { pictures, rounds, record }: Pick<Plan, 'pictures' | 'rounds' | 'record'>
): Promise<string> {
  const { threads } = engineShare()
  const engine = await openBareEngine(threads, { folder: resolve(model), slots })
  const { manifest } = engine
  const patches = patchesOf(manifest)
  const named = kept.flatMap(count => count ?? [])
  const counts = named.length > 0 ? named : shares.map(share => Math.round(share * patches))
  const encodings: Encoding[] = []
  const ask = async (count: number, encoding: Encoding) =>
    await engine.run(captionWork(manifest, { encoding }, { beams: 1, kept: count, tokens }))
  const times = new Map<number, Times>(counts.map(count => [count, { merging: [], reading: [], steps: [] }]))

  for (const picture of pictures.slice(0, rounds)) encodings.push(await encode(picture))
  if (encodings[0]) await ask(patches, encodings[0]) // warm-up
  for (const [round, encoding] of encodings.entries()) {
    for (const [count, { merging, reading, steps }] of times) {
      const { timings } = await ask(count, encoding)
      const step = timings.decode / (tokens - 1)
      record.write({ model: manifest.name, kept: count, round, ...timings })
      merging.push(timings.encode)
      reading.push(timings.prefill)
      steps.push(step)
    }
  }
  return tell(manifest.name, threads, times)

  async function encode (picture: Uint8Array): Promise<Encoding> {
    const pixels = await readPixels(picture, manifest)
    const selection = { rule: 'threshold' as const, keepThreshold: 0.5, seed: 0 }
    const { result } = await engine.run({ task: 'tokenize', picture: { pixels, ref: 'its own', selection } })
    if (!('encoding' in result && result.encoding)) throw new Error('the engine gives no encoding')
    return result.encoding
  }
}

function tell (name: string, threads: number, times: Map<number, Times>): string {
  const points = [...times].map(([count, { reading }]): [number, number] => [readFor(count), spreadOf(reading).median])
  const line = lineInShares(points)
  const off = points.map(([x, y]) => offLine(line, x, y))
  const rows = [...times].map(([count, { merging, reading, steps }], i) => ({
    kept: String(count),
    'merging ms': tellNumber(spreadOf(merging).median),
    'reading ms': tellSpread(reading),
    'off the line': `${tellNumber(100 * (off[i] ?? NaN))} %`,
    'a step ms': tellNumber(spreadOf(steps).median)
  }))
  return [
    `One caption at a time of ${name}, ${threads} threads, pictures encoded beforehand:`,
    table(rows),
    `Reading takes ${tellNumber(line.intercept)} ms and ${tellNumber(line.slope)} ms for each token (filled up to ` +
      `${aligned}); farthest from this line: ${tellNumber(100 * Math.max(...off.map(Math.abs)))} %.`
  ].join('\n\n')
}

/** Tokens that are computed: the patches and what frames them, filled up. */
function readFor (kept: number): number {
  return Math.ceil((kept + 2) / aligned) * aligned
}

function offLine ({ slope, intercept }: Line, x: number, y: number): number {
  return y / (intercept + slope * x) - 1
}
