/** From read prompts to drawn ids: one sample, or beams that share their slots. */
import { createBeamSearch, type BeamRules } from '../drawing/beam-search.ts'
import type { Slot } from '../kv-cache.ts'
import type { Sequence } from '../../pipe/work.ts'
import { createRandom } from '../drawing/random.ts'
import { drawToken, type DrawRules } from '../drawing/sampler.ts'
import type { Want } from '../stations/heads.ts'
import type { Sample } from '../stations/pieces.ts'
import type { Ticket } from '../ticket.ts'
import { giveBack, type Stations } from './flow.ts'

/** One sample, token by token, until it ends, is complete or has no room. Gives its rows back. */
export async function drawSample (
  ticket: Ticket,
  { slots, scores: first }: Sample,
  {
    rulesAfter,
    wantAfter,
    isComplete = () => false,
    onDrawn = () => {},
    maxTokens,
    seed,
    sample
  }: {
    rulesAfter: (drawn: number[]) => DrawRules
    wantAfter: (drawn: number[]) => Want
    isComplete?: (drawn: number[]) => boolean
    onDrawn?: (drawn: number[]) => void
    maxTokens: number
    seed: number
    sample: number
  },
  stations: Stations
): Promise<Sequence> {
  const random = createRandom(seed, 'tokens')
  const ids: number[] = []
  let logProbability = 0
  let scores = first
  for (;;) {
    const rules = rulesAfter(ids)
    const choice = drawToken(scores, { drawn: ids, rules, random })
    logProbability += choice.logProbability
    if (choice.tokenId !== rules.end) {
      ids.push(choice.tokenId)
      ticket.tell({ kind: 'token', sample, tokenId: choice.tokenId })
      onDrawn(ids)
    }
    const isStopped = choice.tokenId === rules.end || isComplete(ids)
    if (isStopped || ids.length === maxTokens) {
      giveBack(ticket, slots, stations)
      return { ids, logProbability, finishReason: isStopped ? 'stop' : 'length' }
    }
    scores = await stations.decode(ticket, { slots, tokenId: choice.tokenId, want: wantAfter(ids) })
  }
}

/** Beams share the slots: one that dies leaves its slot to a fork of another. Gives the best `n`, best first. */
export async function drawBeams (
  ticket: Ticket,
  samples: Sample[],
  rules: BeamRules,
  n: number,
  stations: Stations
): Promise<Sequence[]> {
  const search = createBeamSearch(rules)
  const slots = samples.flatMap(({ slots }) => slots)
  const promptLength = slots[0]?.length ?? 0
  const fed = new Map<Slot, number[]>(slots.map(slot => [slot, []])) // after the prompt
  let beams = slots.slice(0, 1)
  let scores = samples.slice(0, 1).map(({ scores }) => scores)
  for (;;) {
    const forks = search.advance(scores.map(({ logProbabilities }) => logProbabilities))
    if (forks.length === 0) break
    beams = forkSlots(
      slots,
      beams,
      forks.map(({ parent }) => parent),
      (from, to) => copySlot(from, to, promptLength, fed, stations)
    )
    const idle = slots.filter(slot => !beams.includes(slot)) // fewer beams than slots: the others are fed and not read
    const all = await Promise.all(
      [...beams, ...idle].map((slot, i) => {
        const tokenId = forks[i]?.tokenId ?? 0
        fed.get(slot)?.push(tokenId)
        return stations.decode(ticket, { slots: [slot], tokenId, want: { head: 'text' } })
      })
    )
    scores = all.slice(0, beams.length)
  }
  giveBack(ticket, slots, stations)
  return search.best(n)
}

/** A slot for each child: the parent's own for its first, a copy in a slot without children for the others. */
function forkSlots (
  slots: Slot[],
  parents: Slot[],
  parentOf: number[],
  copy: (from: Slot, to: Slot) => void
): Slot[] {
  const children = parentOf.flatMap(parent => parents[parent] ?? [])
  const free = slots.filter(slot => !children.includes(slot))
  return children.map((slot, child) => {
    if (children.indexOf(slot) === child) return slot
    const place = free.shift()
    if (!place) throw new Error('a beam has no slot')
    copy(slot, place)
    return place
  })
}

/** What both were fed alike stands in both, to the last bit, and is not copied. */
function copySlot (
  from: Slot,
  to: Slot,
  promptLength: number,
  fed: Map<Slot, number[]>,
  { cache }: Stations
): void {
  const [source, target] = [fed.get(from) ?? [], fed.get(to) ?? []]
  const other = source.findIndex((id, i) => id !== target[i])
  cache.copy(from, to, promptLength + (other === -1 ? source.length : other))
  fed.set(to, [...source])
}
