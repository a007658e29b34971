/** What both reading and decoding end with: the states of every sample go through the head that it asks for. */
import type { Heads } from '../../graphs/heads.ts'
import type { State } from '../../graphs/kv-store.ts'
import { guide, type Scores } from '../drawing/sampler.ts'

/**
 * What a sample wants to know of its next place. `text`: the text ids. `visual`: the ids that can stand in a picture,
 * as candidates or, with `isWhole`, all of them.
 */
export type Want =
  | { head: 'text' }
  | { head: 'visual', guidanceScale: number, mayEnd: boolean, maySkip: boolean, isWhole: boolean }

/** The state of a sample's row, and of its row without the prompt where it is guided. */
export type Ask = { states: State[], want: Want }

/** One run of a head for all who ask for it. The answers come in the order of the asks. */
export async function readHeads (heads: Heads, asks: Ask[]): Promise<Scores[]> {
  const answers = new Map<Ask, Scores>()
  const texts = asks.filter(({ want }) => want.head === 'text')
  if (texts.length > 0) {
    const words = await heads.words(texts.flatMap(({ states }) => states))
    for (const [i, ask] of texts.entries()) answers.set(ask, dense(words[i]))
  }
  await readCandidates(heads, asks, answers)
  await readEverything(heads, asks, answers)
  return asks.map(ask => answers.get(ask) ?? dense())
}

async function readCandidates (heads: Heads, asks: Ask[], answers: Map<Ask, Scores>): Promise<void> {
  const states: State[] = []
  const asking: Ask[] = []
  const rows = asks.flatMap(ask => {
    const { want } = ask
    if (want.head !== 'visual' || want.isWhole) return []
    asking.push(ask)
    const conditional = states.length
    const { guidanceScale, mayEnd, maySkip } = want
    return [{ conditional, unconditional: states.push(...ask.states) - 1, guidanceScale, mayEnd, maySkip }]
  })
  if (rows.length === 0) return
  const candidates = await heads.candidates(states, rows)
  for (const [i, ask] of asking.entries()) answers.set(ask, candidates[i] ?? dense())
}

async function readEverything (heads: Heads, asks: Ask[], answers: Map<Ask, Scores>): Promise<void> {
  for (const ask of asks) {
    const { want, states } = ask
    if (want.head !== 'visual' || !want.isWhole) continue
    const [conditional = new Float32Array(), unconditional] = await heads.everything(states)
    answers.set(ask, {
      scores: unconditional ? guide(conditional, unconditional, want.guidanceScale) : conditional,
      logProbabilities: conditional
    })
  }
}

function dense (logProbabilities: Float32Array = new Float32Array()): Scores {
  return { scores: logProbabilities, logProbabilities }
}
