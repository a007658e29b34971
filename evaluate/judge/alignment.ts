/** Does a picture show what it should? A judge network names the object at each place, and the ground. */
import type { Scene } from '../data/scenes.ts'
import { share, type Figure, type Part } from '../metrics/bootstrap.ts'
import { whole, type Network, type Region } from './network.ts'

export type Recogniser = NonNullable<Network['recognise']>

/**
 * `concepts`: what the judge sees at each place of the scene, or anywhere where the scene names no places.
 * `isRightWayRound`: of two different objects, whether each fits its own place better than the other's.
 * `isCountRight`: of several of one kind, whether so many are seen and no more.
 */
export type Verdict = {
  concepts: string[]
  ground: string
  inPlace: Part
  anywhere: Part
  isComplete: boolean
  isRightWayRound?: boolean
  isCountRight?: boolean
  isGroundRight: boolean
}

// Where objects of drawn scenes stand. Squares a little over half the side hold one of several objects and nothing
// else.
const near = 0.27
const far = 0.73
const side = 0.54
const regions: Record<string, Region> = {
  center: whole,
  left: { x: near, y: 0.5, side },
  right: { x: far, y: 0.5, side },
  top: { x: 0.5, y: near, side },
  bottom: { x: 0.5, y: far, side },
  'top left': { x: near, y: near, side },
  'top right': { x: far, y: near, side },
  'bottom left': { x: near, y: far, side },
  'bottom right': { x: far, y: far, side }
}

const corners = ['top left', 'top right', 'bottom left', 'bottom right']
const arrangements = [['center'], ['left', 'right'], ['top', 'bottom']]

// The judge learnt from single things alone and names two of a kind across the whole picture as surely as one. By this
// much a whole must fit better than parts: chosen on true pictures of one to four of a kind alone, of which it counts
// .998 right, and .98 without.
const ahead = 3

export async function judgePicture (
  recognise: Recogniser,
  picture: Uint8Array,
  { concepts: wanted, places, ground: wantedGround }: Scene
): Promise<Verdict> {
  const { concepts, ground, scoreOf } = await recognise(
    picture,
    places.length > 0 ? places.map(place => regions[place] ?? whole) : Object.values(regions)
  )
  const inPlace = { of: places.length, right: places.filter((_, i) => concepts[i] === wanted[i]).length }
  const left = [...concepts]
  const found = wanted.filter(concept => {
    const at = left.indexOf(concept)
    if (at !== -1) left.splice(at, 1)
    return at !== -1
  })
  return {
    concepts,
    ground,
    inPlace,
    anywhere: { of: wanted.length, right: found.length },
    isComplete: places.length > 0 ? inPlace.right === wanted.length : found.length === wanted.length,
    ...(places.length === 2 &&
      wanted[0] !== wanted[1] && {
      isRightWayRound:
          scoreOf(0, wanted[0]!) + scoreOf(1, wanted[1]!) > scoreOf(0, wanted[1]!) + scoreOf(1, wanted[0]!)
    }),
    ...(places.length === 0 &&
      wanted.length > 1 &&
      new Set(wanted).size === 1 && { isCountRight: countOf(wanted[0]!, concepts, scoreOf) === wanted.length }),
    isGroundRight: ground === wantedGround
  }
}

/** How many of a concept are seen: as many as stand in the arrangement that shows it best, 0 where none does. */
function countOf (wanted: string, concepts: string[], scoreOf: (region: number, concept: string) => number): number {
  const names = Object.keys(regions)
  const shows = (place: string) => concepts[names.indexOf(place)] === wanted
  const inCorners = corners.filter(shows)
  const possible = [...arrangements.filter(places => places.every(shows)), ...(inCorners.length > 2 ? [inCorners] : [])]
  const fits = (places: string[]) =>
    places.reduce((sum, place) => sum + scoreOf(names.indexOf(place), wanted), 0) / places.length -
    (places.length === 1 ? ahead : 0)
  return possible.sort((a, b) => fits(b) - fits(a))[0]?.length ?? 0
}

/** Shares of right objects and grounds over verdicts of one kind of prompt. */
export function alignmentFigures (prefix: string, verdicts: Verdict[], seed: number): Record<string, Figure> {
  const placed = verdicts.filter(({ inPlace }) => inPlace.of > 0)
  const ordered = verdicts.filter(({ isRightWayRound }) => isRightWayRound !== undefined)
  const counted = verdicts.filter(({ isCountRight }) => isCountRight !== undefined)
  const several = verdicts.some(({ anywhere }) => anywhere.of > 1)
  const count = (of: Verdict[], isRight: (verdict: Verdict) => boolean | undefined) =>
    share(
      of.map(verdict => ({ of: 1, right: Number(isRight(verdict)) })),
      seed
    )
  return {
    ...(placed.length > 0 && {
      [`${prefix}: object in its place`]: share(
        placed.map(({ inPlace }) => inPlace),
        seed
      )
    }),
    ...((several || placed.length === 0) && {
      [`${prefix}: object anywhere`]: share(
        verdicts.map(({ anywhere }) => anywhere),
        seed
      )
    }),
    ...(several && { [`${prefix}: all objects`]: count(verdicts, ({ isComplete }) => isComplete) }),
    ...(ordered.length > 0 && {
      [`${prefix}: right way round (chance .50)`]: count(ordered, ({ isRightWayRound }) => isRightWayRound)
    }),
    ...(counted.length > 0 && { [`${prefix}: as many`]: count(counted, ({ isCountRight }) => isCountRight) }),
    [`${prefix}: ground`]: count(verdicts, ({ isGroundRight }) => isGroundRight)
  }
}
