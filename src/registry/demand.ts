/** What a model is taken to need in memory, from its manifest: estimates, never measured. */
import { patchesOf } from '../package/patches.ts'
import type { Manifest } from '../package/manifest.ts'
import { reservedRows } from '../pipe/cost.ts'

/** Bytes of all its engines: in the memory of the host, and on a device that has memory of its own. */
export type Demand = { host: number; device: number }

type GraphName = keyof Manifest['graphs']

const processBytes = 128 * 2 ** 20 // of each engine: the runtime, the program, what passes through
const newTokens = 256 // that are read at once
const valuesOfPixel = 512 // that a decoder holds of each pixel at its widest
const valuesOfPatch = 64 // times a feature's width that the vision graph holds of each patch
const quantised = new Set<unknown>(['int8', 'int4'])
const quantisedGraphs = new Set<string>(['language_model', 'text_head', 'visual_head'] satisfies GraphName[])

/**
 * On the processor everything lies in the host's memory. On a GPU weights, activations and the cache lie there, and the
 * process in the host's, as does the cache with `keepsOnHost`.
 */
export function demandOf (
  manifest: Manifest,
  {
    slots,
    engines,
    kind,
    keepsOnHost = false
  }: { slots: number; engines: number; kind: 'cpu' | 'webgpu'; keepsOnHost?: boolean }
): Demand {
  const { language_model: shape } = manifest
  const computed = weightBytes(manifest, kind) + activationBytes(manifest, slots)
  if (kind === 'cpu') return { host: engines * (computed + cacheBytes(shape, slots) + processBytes), device: 0 }
  const kept = weightBytes({ ...manifest, graphs: graphsOfProcessor(manifest) }, kind)
  const [onHost, onDevice] = keepsOnHost ? [cacheBytes(shape, slots), 0] : [0, deviceCacheBytes(shape, slots)]
  return {
    host: engines * (kept + onHost + processBytes),
    device: engines * (computed - kept + onDevice)
  }
}

/** Those that the processor runs wherever the model is. */
function graphsOfProcessor ({ graphs }: Manifest) {
  return Object.fromEntries(Object.entries(graphs).filter(([, { device }]) => device === 'cpu'))
}

/**
 * Files of graphs, and twice their size where they hold half precision: it is widened when a graph is opened, unless
 * the package was made for GPUs and is on one. The manifest's `provenance` tells by `precision` and `device`; a package
 * that does not say is taken to hold half precision.
 */
export function weightBytes (
  { graphs, provenance }: Pick<Manifest, 'provenance'> & { graphs: Partial<Manifest['graphs']> },
  kind: 'cpu' | 'webgpu'
): number {
  const { precision, device } = provenance
  const isQuantised = quantised.has(precision)
  const stays = precision === 'fp32' || (device === 'webgpu' && (isQuantised || kind === 'webgpu'))
  let total = 0
  for (const [name, { bytes, data = [] }] of Object.entries(graphs)) {
    const asStored = stays || (isQuantised && quantisedGraphs.has(name))
    total += (asStored ? 1 : 2) * data.reduce((sum, file) => sum + file.bytes, bytes)
  }
  return total
}

/** Single-precision keys and values of every slot, of the reserved ones, and of the spare one, at all places. */
export function cacheBytes (
  { layers, kv_heads: kvHeads, head_dim: headDim, max_length: maxLength }: Manifest['language_model'],
  slots: number
): number {
  return (slots + reservedRows + 1) * layers * 2 * kvHeads * headDim * maxLength * 4
}

/** The same on a device, and there a copy of one sequence, and the new tokens of one read and as many empty places. */
function deviceCacheBytes (shape: Manifest['language_model'], slots: number): number {
  const place = 2 * shape.kv_heads * shape.head_dim * 4 // of one layer
  return cacheBytes(shape, slots + 1) + (shape.layers + 1) * Math.max(newTokens, slots + reservedRows) * place
}

/** The widest of what runs: scores of all sequences, features of a picture, the largest picture that is painted. */
function activationBytes (manifest: Manifest, slots: number): number {
  const { language_model: language, visual_tokenizer: tokenizer, pixel_decoder: decoder } = manifest
  const areas = (decoder?.sizes ?? []).map(size => size.split('x').reduce((area, side) => area * Number(side), 1))
  return 4 * Math.max(
    (slots + reservedRows) * language.vocabulary_size,
    patchesOf(manifest) * tokenizer.feature_dim * valuesOfPatch,
    valuesOfPixel * Math.max(0, ...areas)
  )
}
