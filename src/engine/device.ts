/** The device as stations over the graphs of one model, whose units run one at a time, in turn. */
import type { Heads } from '../graphs/heads.ts'
import type { LanguageModel } from '../graphs/language-model.ts'
import type { PixelDecoder } from '../graphs/pixel-decoder.ts'
import type { VisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { Manifest } from '../package/manifest.ts'
import { reservedRows } from '../pipe/cost.ts'
import type { Stations } from './flows/flow.ts'
import { createKvCache } from './kv-cache.ts'
import { createDecode } from './stations/decode.ts'
import { createEncode } from './stations/encode.ts'
import { createPaint } from './stations/paint.ts'
import { createPrefill } from './stations/prefill.ts'
import type { Unit } from './stations/queue.ts'
import type { Ticket } from './ticket.ts'

export type Graphs = {
  visualTokenizer: VisualTokenizer
  languageModel: LanguageModel
  heads: Heads
  pixelDecoder?: PixelDecoder | undefined
}

export function createDevice (manifest: Manifest, graphs: Graphs, slots: number) {
  const {
    layers,
    kv_heads: kvHeads,
    head_dim: headDim,
    max_length: maxLength,
    hidden_size: hiddenSize
  } = manifest.language_model
  const cache = createKvCache({ slots: slots + reservedRows, layers, kvHeads, headDim, maxLength })
  const encode = createEncode(graphs.visualTokenizer, manifest)
  const prefill = createPrefill(graphs.languageModel, graphs.heads, cache, { layers, kvHeads, headDim, hiddenSize })
  const decode = createDecode(graphs.languageModel, graphs.heads, cache, hiddenSize)
  const paint = createPaint(graphs.pixelDecoder, manifest.pixel_decoder)
  const stations: Stations = { manifest, cache, ...encode, ...prefill, ...decode, ...paint }
  const order = [encode, prefill, decode, paint]
  let turn = 0 // index of the station that is asked first

  return { stations, cache, next, leave }

  /** The next unit. The stations are asked in turn, so that each with work gets its share. */
  function next (): Unit | undefined {
    const asked = [...order.keys()].map(i => (turn + i) % order.length)
    for (const place of asked) {
      const unit = order[place]?.next()
      if (unit === undefined) continue
      turn = place + 1
      return unit
    }
  }

  /** Rejects whatever a request waits for, at every station. */
  function leave (ticket: Ticket, reason: Error): void {
    for (const station of order) station.leave(ticket, reason)
  }
}
