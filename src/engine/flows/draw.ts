/** From read prompts to drawn ids: one sample, or beams that share their slots. */
import { createBeamSearch, type BeamRules } from '../drawing/beam-search.ts'
import type { Slot } from '../kv-cache.ts'
import type { Sequence } from '../../pipe/work.ts'
import { createRandom } from '../drawing/random.ts'
import { drawToken, type DrawRules } from '../drawing/sampler.ts'
import type { Row } from '../stations/prefill.ts'
import type { Ticket } from '../ticket.ts'
import { giveBack, type Stations } from './flow.ts'

/** With guidance there is a second row for the unconditional branch, which is fed the same tokens. */
export async function drawSample (ticket: Ticket, rows: Row[], { rulesAfter, isComplete = () => false, maxTokens, guidanceScale = 1, seed, sample }: {
  rulesAfter: (drawn: number[]) => DrawRules
  isComplete?: (drawn: number[]) => boolean
  maxTokens: number
  guidanceScale?: number
  seed: number
  sample: number
}, stations: Stations): Promise<Sequence> {
  const random = createRandom(seed, 'tokens')
  const ids: number[] = []
  let logProbability = 0
  let [logits, unconditional] = rows.map(row => row.logits) as [Float32Array, Float32Array?]
  for (;;) {
    const rules = rulesAfter(ids)
    const choice = drawToken(logits, { unconditional, guidanceScale, drawn: ids, rules, random })
    logProbability += choice.logProbability
    if (choice.tokenId !== rules.end) {
      ids.push(choice.tokenId)
      ticket.tell({ kind: 'token', sample, tokenId: choice.tokenId })
    }
    const isStopped = choice.tokenId === rules.end || isComplete(ids)
    if (isStopped || ids.length === maxTokens) {
      giveBack(ticket, rows.map(({ slot }) => slot), stations)
      return { ids, logProbability, finishReason: isStopped ? 'stop' : 'length' }
    }
    [logits, unconditional] = await Promise.all(rows.map(({ slot }) => stations.decode(ticket, slot, choice.tokenId))) as [Float32Array, Float32Array?]
  }
}

/** Beams share the slots: one that dies leaves its slot to a fork of another. Gives the best `n`, best first. */
export async function drawBeams (ticket: Ticket, rows: Row[], rules: BeamRules, n: number, stations: Stations): Promise<Sequence[]> {
  const search = createBeamSearch(rules)
  const slots = rows.map(({ slot }) => slot)
  let beams = slots.slice(0, 1)
  let logits = [rows[0]!.logits]
  for (;;) {
    const forks = search.advance(logits)
    if (forks.length === 0) break
    beams = forkSlots(slots, beams, forks.map(({ parent }) => parent), stations)
    const idle = slots.filter(slot => !beams.includes(slot)) // fewer beams than slots: the others are fed and not read
    const fed = [...beams, ...idle].map((slot, i) => stations.decode(ticket, slot, forks[i]?.tokenId ?? 0))
    logits = (await Promise.all(fed)).slice(0, beams.length)
  }
  giveBack(ticket, slots, stations)
  return search.best(n)
}

/** A slot for each child: the parent's own for its first, a copy in a slot without children for the others. */
function forkSlots (slots: Slot[], parents: Slot[], parentOf: number[], { cache }: Stations): Slot[] {
  const used = new Set(parentOf.map(parent => parents[parent]!))
  const free = slots.filter(slot => !used.has(slot))
  return parentOf.map((parent, child) => {
    const slot = parents[parent]!
    if (parentOf.indexOf(parent) === child) return slot
    const place = free.shift()!
    cache.copy(slot, place)
    return place
  })
}
