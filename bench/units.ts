/** What each unit of the engine takes: encoding by pictures, reading by tokens, writing by rows. */
import { captionWork, engineShare, openBareEngine, readPixels } from './engine.ts'
import { spreadOf } from './statistics.ts'

export type Units = {
  engines: number // that work side by side on this machine; the times are those of one by itself
  threads: number // of each
  picture: { ms: number } // a file to pixels, outside the engine
  encode: { rows: number; ms: number }[] // rows: pictures
  prefill: { rows: number; tokens: number; ms: number }[] // tokens of each row
  decode: { rows: number; ms: number }[]
}

type Seen = { kind: string; rows: number; seconds: number }

const atOnce = [1, 2, 4, 8, 16, 32]
const kept = [4, 16, 32, 64]
const tokens = 24 // of each text
const repeats = 8

/** Medians over captions that all begin together. */
export async function measureUnits (pictures: Uint8Array[]): Promise<Units> {
  const share = engineShare()
  let seen: Seen[] = []
  const engine = await openBareEngine(share.threads, { onUnits: units => seen.push(...units) })
  const reading: number[] = []
  const pixels: Uint8Array[] = []
  for (let i = 0; i < repeats; i++) {
    for (const [j, picture] of pictures.entries()) {
      const from = performance.now()
      pixels[j] = await readPixels(picture, engine.manifest)
      reading.push(performance.now() - from)
    }
  }
  const runAll = async (count: number, patches: number) => {
    seen = []
    for (let i = 0; i < repeats; i++) {
      const works = Array.from({ length: count }, (_, j) =>
        captionWork(
          engine.manifest,
          { pixels: pixels[j % pixels.length] ?? new Uint8Array() },
          { beams: 1, kept: patches, tokens }
        )
      )
      await Promise.all(works.map(work => engine.run(work)))
    }
    return seen
  }

  await runAll(4, 16) // warm-up
  const picture = { ms: thousandths(spreadOf(reading).median) }
  const units: Units = { ...share, picture, encode: [], prefill: [], decode: [] }
  for (const count of atOnce) {
    const all = await runAll(count, 16)
    units.decode.push({ rows: count, ms: medianOf(all, 'decode', count) })
    if (count <= 4) units.encode.push({ rows: count, ms: medianOf(all, 'encode', count) })
  }
  for (const patches of kept) {
    for (const rows of [1, 4]) {
      const ms = medianOf(await runAll(rows, patches), 'prefill', rows)
      if (!Number.isNaN(ms)) units.prefill.push({ rows, tokens: patches + 2, ms })
    }
  }
  return units
}

function medianOf (seen: Seen[], kind: string, rows: number): number {
  const of = seen.filter(unit => unit.kind === kind && unit.rows === rows)
  return thousandths(spreadOf(of.map(({ seconds }) => seconds * 1000)).median)
}

function thousandths (value: number): number {
  return Math.round(value * 1000) / 1000
}
