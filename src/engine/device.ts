/** The device as stations over the graphs of one model, whose units run one at a time, in turn. */
import type { Heads } from '../graphs/heads.ts'
import type { KvStore, KvStoreShape } from '../graphs/kv-store.ts'
import type { LanguageModel } from '../graphs/language-model.ts'
import { createMemoryStore } from '../graphs/memory-store.ts'
import type { PixelDecoder } from '../graphs/pixel-decoder.ts'
import type { VisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { Manifest } from '../package/manifest.ts'
import { reservedRows } from '../pipe/cost.ts'
import type { Stage } from '../pipe/messages.ts'
import type { Stations } from './flows/flow.ts'
import { createKvCache } from './kv-cache.ts'
import { createPrefixes } from './prefixes.ts'
import { createDecode } from './stations/decode.ts'
import { createEncode } from './stations/encode.ts'
import { createPaint } from './stations/paint.ts'
import { createPrefill } from './stations/prefill.ts'
import type { Station, Unit } from './stations/queue.ts'
import type { Ticket } from './ticket.ts'

export type Graphs = {
  visualTokenizer: VisualTokenizer
  languageModel: LanguageModel
  /** Where it is not the host's memory. */
  store?: KvStore | undefined
  heads: Heads
  pixelDecoder?: PixelDecoder | undefined
}

const mostPassed = 32

/** Rows for all slots and those that are reserved. */
export function storeShapeOf ({ language_model: shape }: Manifest, slots: number): KvStoreShape {
  return {
    rows: slots + reservedRows,
    layers: shape.layers,
    kvHeads: shape.kv_heads,
    headDim: shape.head_dim,
    hiddenSize: shape.hidden_size,
    maxLength: shape.max_length
  }
}

/** `prefixBytes` are for what was made of pictures that prompts begin with. */
export function createDevice (manifest: Manifest, graphs: Graphs, slots: number, prefixBytes = 0) {
  const shape = storeShapeOf(manifest, slots)
  const cache = createKvCache(graphs.store ?? createMemoryStore(shape, graphs.languageModel), shape.rows)
  const encode = createEncode(graphs.visualTokenizer, manifest)
  const prefill = createPrefill(graphs.heads, cache, createPrefixes(prefixBytes), shape.hiddenSize)
  const decode = createDecode(graphs.heads, cache)
  const paint = createPaint(graphs.pixelDecoder, manifest.pixel_decoder)
  const stations: Stations = { manifest, cache, ...encode, ...prefill, ...decode, ...paint }
  const order: Station[] = [encode, prefill, decode, paint]
  let turn = 0 // index of the station that is asked first
  let passed = 0 // units for which one of bulk had to wait since the last of bulk

  return { stations, cache, next, before, leave }

  /**
   * The next unit. The stations are asked in turn, so that each with work gets its share; bulk waits for others, at its
   * own station too, but not for ever.
   */
  function next (): Unit | undefined {
    const isDue = passed >= mostPassed
    const unit = (isDue ? take(isOfBulk, true) : undefined) ?? take(unit => !isOfBulk(unit)) ?? take(isOfBulk)
    if (unit === undefined) return undefined
    if (isOfBulk(unit)) passed = 0
    else if (isBulkLeft(unit)) passed++
    return unit
  }

  function take (isWanted: (unit: Unit) => boolean, onlyBulk = false): Unit | undefined {
    for (const station of asked()) {
      const unit = station.next(onlyBulk)
      if (unit === undefined || !isWanted(unit)) continue
      turn = order.indexOf(station) + 1
      return unit
    }
  }

  /** Whether bulk waits that has no part in the unit. */
  function isBulkLeft ({ tickets }: Unit): boolean {
    return order.some(({ waiting }) => waiting().some(ticket => ticket.isBulk && !tickets.includes(ticket)))
  }

  function asked (): Station[] {
    return [...order.slice(turn), ...order.slice(0, turn)]
  }

  /** Kinds of the units between the one that runs and the first of a request, as things stand. */
  function before (ticket: Ticket, running: Unit | undefined): Stage[] {
    const own = order.find(station => station.waiting().includes(ticket))
    if (!own) return []
    const isBusy = ({ kind, waiting }: Station) =>
      waiting().some(({ isBulk }) => ticket.isBulk || !isBulk) ||
      (kind === 'decode' && running?.kind === 'prefill') // what is read is then decoded
    const others = (stations: Station[]) => stations.filter(isBusy).map(({ kind }) => kind)
    const round = asked()
    const place = round.indexOf(own)
    const waiting = own.waiting().filter(other => own.kind !== running?.kind || !running.tickets.includes(other))
    const rounds = Math.floor(waiting.indexOf(ticket) / own.atOnce)
    const whole: Stage[] = [own.kind, ...others([...round.slice(place + 1), ...round.slice(0, place)])]
    return [...others(round.slice(0, place)), ...Array.from({ length: rounds }, () => whole).flat()]
  }

  /** Rejects whatever a request waits for, at every station. */
  function leave (ticket: Ticket, reason: Error): void {
    for (const station of order) station.leave(ticket, reason)
  }
}

function isOfBulk ({ tickets }: Unit): boolean {
  return tickets.every(({ isBulk }) => isBulk)
}
