/** Units of work one by one: what they take, and what their multiplications alone would take. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHeads } from '../src/graphs/heads.ts'
import { createLanguageModel } from '../src/graphs/language-model.ts'
import { openSession, type Input } from '../src/graphs/session.ts'
import { readManifest } from '../src/package/package.ts'
import { engineShare, modelFolder } from './engine.ts'
import { multiplicationOf, operationsOf, wholeMultiplicationOf, type Operations } from './onnx.ts'
import { table, tellNumber } from './report.ts'
import { spreadOf } from './statistics.ts'
import { measureUnits } from './units.ts'

const rows = [1, 4, 16]
const places = 64 // of the cache, which a caption seldom exceeds
const size = 768 // of the matrices whose product says how fast this machine multiplies
const repeats = 60

const device = { device: 'cpu' as const, threads: engineShare().threads }

/** The section of the report, and the costs of units for the simulator. */
export async function measureFloor (pictures: Uint8Array[]) {
  const matrix = { type: 'float32' as const, data: new Float32Array(size * size).fill(0.5), dims: [size, size] }
  const rates: Operations = {
    single: await multiplicationRate(multiplicationOf(size), { a: matrix, b: matrix }),
    whole: await multiplicationRate(wholeMultiplicationOf(size), { a: matrix })
  }
  const alone = await stepsOfGraph()
  const units = await measureUnits(pictures)
  const perRow = operationsOfStep()
  const lines = rows.map((count, i) => {
    const floor = 1000 * count * (perRow.single / rates.single + perRow.whole / rates.whole)
    const inSingle = (1000 * count * (perRow.single + perRow.whole)) / rates.single
    const graph = alone[i] ?? NaN
    const engine = units.decode.find(({ rows }) => rows === count)?.ms ?? NaN
    return {
      rows: String(count),
      'MFLOP, single': tellNumber((perRow.single * count) / 1e6),
      'and in 8 bits': tellNumber((perRow.whole * count) / 1e6),
      'floor ms': tellNumber(floor),
      'all in single ms': tellNumber(inSingle),
      'graphs ms': tellNumber(graph),
      'engine ms': tellNumber(engine),
      'graphs / floor': tellNumber(graph / floor),
      'engine / floor': tellNumber(engine / floor),
      'engine / all in single': tellNumber(engine / inSingle)
    }
  })
  const section = [
    `A decode step of texts, ${places} places of cache, threads of an engine: ${device.threads}; with them this ` +
      `machine multiplies matrices of ${size} by ${size} at ${tellNumber(rates.single / 1e9)} GFLOP/s in single ` +
      `precision, and at ${tellNumber(rates.whole / 1e9)} in 8-bit whole numbers.`,
    table(lines),
    `Units of one engine of ${units.engines}:`,
    table([
      tellUnit('picture file to pixels', 1, '', units.picture.ms),
      ...units.encode.map(({ rows, ms }) => tellUnit('encode', rows, '', ms)),
      ...units.prefill.map(({ rows, tokens, ms }) => tellUnit('prefill', rows, tokens, ms)),
      ...units.decode.map(({ rows, ms }) => tellUnit('decode', rows, 1, ms))
    ])
  ].join('\n\n')
  return { section, units }
}

function tellUnit (unit: string, rows: number, tokens: number | string, ms: number) {
  return { unit, rows: String(rows), 'tokens of each': String(tokens), ms: tellNumber(ms) }
}

/** Operations a second, of the fastest product. */
async function multiplicationRate (model: Uint8Array, inputs: Record<string, Input>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'multiplication-'))
  try {
    const file = join(folder, 'multiplication.onnx')
    await writeFile(file, model)
    const session = await openSession(file, device)
    const times = await timesOf(() => session.run(inputs))
    return (2 * size ** 3) / (Math.min(...times) / 1000)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Trunk and text head for one row, and attention to every place of the cache. */
function operationsOfStep (): Operations {
  const { language_model: shape, graphs } = readManifest(modelFolder)
  const attention = 4 * shape.layers * shape.hidden_size * places // of every query, also where some share keys
  const trunk = operationsOf(join(modelFolder, graphs.language_model.file))
  const head = operationsOf(join(modelFolder, graphs.text_head.file))
  return { single: trunk.single + head.single + attention, whole: trunk.whole + head.whole }
}

/** Milliseconds of trunk and text head by themselves, the median for each number of rows. */
async function stepsOfGraph (): Promise<number[]> {
  const manifest = readManifest(modelFolder)
  const { layers, kv_heads: heads, head_dim: width } = manifest.language_model
  const open = async (name: 'language_model' | 'text_head' | 'visual_head') =>
    openSession(join(modelFolder, manifest.graphs[name].file), device)
  const languageModel = createLanguageModel(await open('language_model'), manifest)
  const { words } = createHeads({ text: await open('text_head'), visual: await open('visual_head') }, manifest)
  const steps: number[] = []
  for (const count of rows) {
    const slab = Array.from({ length: layers }, () => new Float32Array(count * heads * width * places).fill(0.1))
    const past = { rows: count, places, bias: new Float32Array(count * places), keys: slab, values: slab }
    const each = Array.from({ length: count }, (_, i) => i)
    const tokens = { count: 1, tokenIds: each.map(i => 10 + i), positions: each.map(() => places) }
    const times = await timesOf(async () => {
      const { states } = await languageModel.run(tokens, past)
      await words(each.map(i => states.subarray((i * states.length) / count, ((i + 1) * states.length) / count)))
    })
    steps.push(spreadOf(times).median)
  }
  return steps
}

async function timesOf (run: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < repeats * 1.25; i++) {
    const from = performance.now()
    await run()
    times.push(performance.now() - from)
  }
  return times.slice(-repeats)
}
