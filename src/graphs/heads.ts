/**
 * From states to what may come next: one head for words, one for pictures, each normalised over the whole vocabulary.
 */
import type { Manifest } from '../package/manifest.ts'
import type { State } from './kv-store.ts'
import { createRoom } from './room.ts'
import { floats, type DeviceTensor, type Session, type Value } from './session.ts'
import { checkSize } from './sizes.ts'

/** Unknown, begin and end stand below; they are possible among visual ids, and dropped. */
export const leastTextId = 3

/** How one sample of a picture goes on. Rows count the states; without guidance both are the same. */
export type VisualAsk = {
  conditional: number
  unconditional: number
  guidanceScale: number
  mayEnd: boolean // the image end is possible
  maySkip: boolean // ids that are no codes, and are dropped, are possible
}

/** The most probable ids after guidance, best first; `logProbabilities` are the conditional row's own. */
export type Candidates = { ids: number[]; scores: Float32Array; logProbabilities: Float32Array }

export type Heads = ReturnType<typeof createHeads>

/** Puts states that lie on the device into one tensor, [states, hidden_size]. */
export type Pick = (states: Exclude<State, Float32Array>[]) => Promise<DeviceTensor>

/**
 * `states` are rows of [hidden_size], all of the host or all of the device, which `pick` is for. Throws a MisfitError
 * where a graph scores other ids than the manifest says.
 */
export function createHeads (
  { text, visual }: { text: Session; visual: Session },
  { language_model: shape, ids }: Manifest,
  pick?: Pick
) {
  const { hidden_size: hiddenSize, vocabulary_size: vocabulary } = shape
  const room = createRoom() // for the text head's scores
  const visualIds = vocabulary - ids.image_start // those from the image start on are scored by the visual head
  checkSize('text_head', text, 'log_probabilities', ids.image_start)
  checkSize('visual_head', visual, 'log_probabilities', leastTextId + visualIds)
  checkSize('visual_head', visual, 'ids', shape.candidates, { field: 'language_model.candidates' })
  return {
    /**
     * Natural log-probabilities of the text ids, [image_start] for each row. They hold until the next call.
     */
    async words (states: State[]): Promise<Float32Array[]> {
      const [rows, name] = [states.length, 'log_probabilities']
      const inputs = { states: await stacked(states) }
      const dims = [rows, ids.image_start]
      const scores = { type: 'float32' as const, data: room(rows * ids.image_start), dims }
      return rowsOf(floats(await text.run(inputs, { [name]: scores }), name), rows)
    },

    /** As many candidates as the manifest says, for each ask. */
    async candidates (states: State[], asks: VisualAsk[]): Promise<Candidates[]> {
      const outputs = await visual.run({ states: await stacked(states), ...visualInputs(asks) }, [
        'ids',
        'scores',
        'candidate_log_probabilities'
      ])
      const drawable = outputs.ids?.data
      if (!(drawable instanceof BigInt64Array || drawable instanceof Int32Array)) {
        throw new Error('the graph has no output ids of whole numbers')
      }
      const scores = rowsOf(floats(outputs, 'scores'), asks.length)
      const logProbabilities = rowsOf(floats(outputs, 'candidate_log_probabilities'), asks.length)
      const count = drawable.length / asks.length
      return asks.map((_, i) => ({
        ids: Array.from(drawable.subarray(i * count, (i + 1) * count), Number),
        scores: scores[i] ?? new Float32Array(),
        logProbabilities: logProbabilities[i] ?? new Float32Array()
      }))
    },

    /**
     * Natural log-probabilities of every id that can stand in a picture, [vocabulary_size]; -Infinity for other words.
     */
    async everything (states: State[]): Promise<Float32Array[]> {
      const alone = states.map((_, row) => ({
        conditional: row,
        unconditional: row,
        guidanceScale: 1,
        mayEnd: true,
        maySkip: true
      }))
      const inputs = { states: await stacked(states), ...visualInputs(alone) }
      const outputs = await visual.run(inputs, ['log_probabilities'])
      return rowsOf(floats(outputs, 'log_probabilities'), states.length).map(row => {
        const all = new Float32Array(vocabulary).fill(-Infinity)
        const dropped = row.length - visualIds
        all.set(row.subarray(0, dropped))
        all.set(row.subarray(dropped), ids.image_start)
        return all
      })
    }
  }

  async function stacked (states: State[]): Promise<Value> {
    const data = new Float32Array(states.length * hiddenSize)
    const onDevice = states.flatMap((state, i) => {
      if (!(state instanceof Float32Array)) return [state]
      data.set(state, i * hiddenSize)
      return []
    })
    if (onDevice.length > 0 && pick) return pick(onDevice)
    return { type: 'float32', data, dims: [states.length, hiddenSize] }
  }
}

function visualInputs (asks: VisualAsk[]) {
  const dims = [asks.length]
  return {
    conditional: { type: 'int64' as const, data: BigInt64Array.from(asks, ask => BigInt(ask.conditional)), dims },
    unconditional: { type: 'int64' as const, data: BigInt64Array.from(asks, ask => BigInt(ask.unconditional)), dims },
    guidance_scale: { type: 'float32' as const, data: Float32Array.from(asks, ask => ask.guidanceScale), dims },
    may_end: { type: 'bool' as const, data: Uint8Array.from(asks, ask => Number(ask.mayEnd)), dims },
    may_skip: { type: 'bool' as const, data: Uint8Array.from(asks, ask => Number(ask.maySkip)), dims }
  }
}

function rowsOf (all: Float32Array, count: number): Float32Array[] {
  const width = all.length / count
  return Array.from({ length: count }, (_, i) => all.subarray(i * width, (i + 1) * width))
}
