/** How long requests of a kind take beside so many others, from those that ended lately. */
import type { Timings } from '../pipe/messages.ts'
import type { Place } from '../pipe/requests.ts'
import type { Amounts } from './amounts.ts'
import { createRecent, type Recent } from './recent.ts'

/**
 * Milliseconds: from a request's arrival to its first unit, of each stage by its amount, of waiting by each unit, and
 * of a request's way outside the engine: its pictures' decoding, and all else.
 */
type Measure = 'start' | keyof Amounts | 'wait' | 'image' | 'rest'

/** `stretch`: of a whole request against its parts, since medians add up to less than the median of a sum. */
type Cell = { beside: number; recent: Record<Measure | 'stretch', Recent> }

const stages = ['encode', 'prefill', 'decode', 'paint'] as const

export type Speeds = ReturnType<typeof createSpeeds>

// until something was measured: lavit-mini on two cores
const first: Record<Measure, number> = {
  start: 5,
  encode: 6,
  prefill: 5,
  decode: 1.5,
  paint: 0.15,
  wait: 0.3,
  image: 2,
  rest: 3
}
const slowdown = 0.75 // of a request for each one beside it, until it was measured: engines batch

export function createSpeeds () {
  const cells = new Map<string, Cell[]>() // of each kind by how many ran beside, of its starts by how many were ahead

  return {
    /** Notes how long a request took that had `beside` others beside it. */
    add (kind: string, { beside }: Place, amounts: Amounts, { queue, ...own }: Timings): void {
      const { recent } = cellOf(kind, beside)
      recent.wait.add(queue / unitsOf(amounts))
      for (const stage of stages) {
        if (amounts[stage] > 0) recent[stage].add(own[stage] / amounts[stage])
      }
    },

    /** Notes when a request began. */
    addStart (kind: string, { ahead, beside }: Place, ms: number): void {
      cellOf(startOf(kind, beside), ahead).recent.start.add(ms)
    },

    /** Notes what a request took outside the engine, and in all. */
    addOutside (
      kind: string,
      beside: number,
      amounts: Amounts,
      { image, rest, all }: { image: number; rest: number; all: number }
    ): void {
      const { recent } = cellOf(kind, beside)
      recent.image.add(image)
      recent.rest.add(rest)
      recent.stretch.add(all / partsOf(kind, beside, amounts))
    },

    /** Milliseconds that are to be expected from a request's arrival to its first unit. */
    start: (kind: string, { ahead, beside }: Place) => expected(startOf(kind, beside), ahead, 'start'),

    /** Milliseconds that are to be expected of the whole request. */
    total (kind: string, beside: number, amounts: Amounts): number {
      const stretch = nearestOf(kind, beside, 'stretch')?.median ?? 1
      return stretch * partsOf(kind, beside, amounts)
    }
  }

  function partsOf (kind: string, beside: number, amounts: Amounts): number {
    const ms = (measure: Measure) => expected(kind, beside, measure)
    return stages.reduce(
      (sum, stage) => sum + (amounts[stage] > 0 ? amounts[stage] * ms(stage) : 0),
      ms('image') + ms('rest') + unitsOf(amounts) * ms('wait')
    )
  }

  function cellOf (kind: string, beside: number): Cell {
    const known = cells.get(kind) ?? []
    const level = levelOf(beside)
    const found = known.find(cell => levelOf(cell.beside) === level)
    if (found) return found
    const cell = { beside, recent: emptyCell() }
    cells.set(kind, [...known, cell])
    return cell
  }

  /** As measured at the nearest load, and slowed down where that is another one. */
  function expected (kind: string, beside: number, measure: Measure): number {
    const nearest = nearestOf(kind, beside, measure) ?? { beside: 0, median: first[measure] }
    const isHere = levelOf(nearest.beside) === levelOf(beside)
    return isHere ? nearest.median : (nearest.median * slowed(beside)) / slowed(nearest.beside)
  }

  function nearestOf (kind: string, beside: number, measure: keyof Cell['recent']) {
    const distance = (other: number) => Math.abs(levelOf(other) - levelOf(beside))
    const measured = (cells.get(kind) ?? [])
      .flatMap(cell => {
        const median = cell.recent[measure].median()
        return median === undefined ? [] : [{ beside: cell.beside, median }]
      })
      .sort((a, b) => distance(a.beside) - distance(b.beside))
    return measured[0]
  }
}

function emptyCell (): Cell['recent'] {
  return {
    start: createRecent(),
    encode: createRecent(),
    prefill: createRecent(),
    decode: createRecent(),
    paint: createRecent(),
    wait: createRecent(),
    image: createRecent(),
    rest: createRecent(),
    stretch: createRecent()
  }
}

function unitsOf ({ encode, prefill, decode, paint }: Amounts): number {
  return encode + prefill + decode + (paint > 0 ? 1 : 0)
}

/** Requests that begin alike: of a kind, with an engine that has something to do or nothing. */
function startOf (kind: string, beside: number): string {
  return `${kind}, ${beside === 0 ? 'idle' : 'busy'}`
}

/** 0, 1, 2 to 3, 4 to 7, and so on. */
function levelOf (beside: number): number {
  return beside === 0 ? 0 : Math.floor(Math.log2(beside)) + 1
}

function slowed (beside: number): number {
  return 1 + slowdown * beside
}
