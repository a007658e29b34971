/** One request inside the language model: its rows in the decode batch, as independent samples or as beams. */
import { createBeamSearch, type BeamRules } from './beam-search.ts'
import type { KvCache, Slot } from './kv-cache.ts'
import type { TextResult } from '../pipe/work.ts'
import { createRandom } from './random.ts'
import { drawToken, type DrawRules } from './sampler.ts'

/** A row of the next decode step: the token that is fed into its slot. */
export type DecodeRow = { slot: Slot, tokenId: number }

export type Finished = TextResult['sequences'][number]

export type Sequence = {
  rows (): DecodeRow[]
  /** Takes the logits that follow each row's token (after prefill: the prompt), chooses, gives slots back that are done. */
  advance (logitsOf: (slot: Slot) => Float32Array): void
  isFinished (): boolean
  /** Gives back every slot that is left. */
  release (): void
}

/** A row of a sample; with guidance a second one for the unconditional branch, which is fed the same tokens. */
export type SampleSlots = { conditional: Slot, unconditional?: Slot | undefined }

/** `samples[i]` draws with `seed + i`; `isComplete` ends one before its length, `onFinished` hears of each once. */
export function createSamples ({ cache, samples, rulesAfter, maxTokens, guidanceScale, seed, isComplete, onFinished }: {
  cache: KvCache
  samples: SampleSlots[]
  rulesAfter: (drawn: number[]) => DrawRules
  maxTokens: number
  guidanceScale: number
  seed: number
  isComplete: (ids: number[]) => boolean
  onFinished: (sample: number, finished: Finished) => void
}): Sequence {
  let running = samples.map((slots, i) => ({ i, slots, ids: [] as number[], logProbability: 0, random: createRandom(seed + i, 'tokens') }))
  return {
    rows: () => running.flatMap(({ slots, ids }) => slotsOf(slots).map(slot => ({ slot, tokenId: ids.at(-1)! }))),
    isFinished: () => running.length === 0,
    release,
    advance (logitsOf) {
      for (const sample of [...running]) if (running.includes(sample)) draw(sample, logitsOf) // `onFinished` may release the others
    }
  }

  function draw (sample: typeof running[number], logitsOf: (slot: Slot) => Float32Array) {
    const { i, slots: { conditional, unconditional }, ids, random } = sample
    const rules = rulesAfter(ids)
    const choice = drawToken(logitsOf(conditional), { unconditional: unconditional && logitsOf(unconditional), guidanceScale, drawn: ids, rules, random })
    sample.logProbability += choice.logProbability
    if (choice.tokenId !== rules.end) ids.push(choice.tokenId)
    const isStopped = choice.tokenId === rules.end || isComplete(ids)
    if (!isStopped && ids.length < maxTokens) return
    running = running.filter(other => other !== sample)
    for (const slot of slotsOf(sample.slots)) cache.release(slot)
    onFinished(i, { ids, logProbability: sample.logProbability, finishReason: isStopped ? 'stop' : 'length' })
  }

  function release () {
    for (const { slots } of running) for (const slot of slotsOf(slots)) cache.release(slot)
    running = []
  }
}

/** Beams share the slots given: one that dies leaves its slot to a fork of another. `onFinished` hears of the best `n`, best first. */
export function createBeams ({ cache, slots, rules, n, onFinished }: {
  cache: KvCache
  slots: Slot[] // numBeams, all holding the prompt
  rules: BeamRules
  n: number
  onFinished: (finished: Finished[]) => void
}): Sequence {
  const search = createBeamSearch(rules)
  let rows: DecodeRow[] = []
  let running = 1
  let isFinished = false
  return {
    rows: () => rows,
    isFinished: () => isFinished,
    release,
    advance (logitsOf) {
      const parents = rows.length > 0 ? rows.slice(0, running).map(({ slot }) => slot) : slots.slice(0, 1)
      const forks = search.advance(parents.map(logitsOf))
      if (forks.length > 0) {
        const places = forkSlots(cache, slots, parents, forks.map(({ parent }) => parent))
        const idle = slots.filter(slot => !places.includes(slot)) // fewer beams than slots: the others are fed and not read
        rows = [...places, ...idle].map((slot, i) => ({ slot, tokenId: forks[i]?.tokenId ?? 0 }))
        running = forks.length
        return
      }
      release()
      isFinished = true
      onFinished(search.best(n).map(({ ids, logProbability, finishReason }) => ({ ids, logProbability, finishReason })))
    }
  }

  function release () {
    if (isFinished) return
    for (const slot of slots) cache.release(slot)
    rows = []
    isFinished = true
  }
}

/** A slot for each child: the parent's own for its first, a copy in a slot without children for the others. */
function forkSlots (cache: KvCache, slots: Slot[], parents: Slot[], parentOf: number[]): Slot[] {
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

function slotsOf ({ conditional, unconditional }: SampleSlots): Slot[] {
  return unconditional === undefined ? [conditional] : [conditional, unconditional]
}
