/**
 * What moves keys and values about on a device: graphs that write where an input lies. All of them take the slabs of
 * every layer by name, and a bias that hides places.
 */
import { hidden, type KvStoreShape } from './kv-store.ts'
import { encodeGraph, type GraphConstant, type GraphNode, type GraphValue } from './onnx.ts'

export type Slabs = Pick<KvStoreShape, 'layers' | 'kvHeads' | 'headDim' | 'maxLength'>

const largest = 1e9 // NaN and Infinity would survive that a place is hidden: what is not below this becomes 0

export function slabNames (layers: number): string[] {
  return Array.from({ length: layers }, (_, i) => [`cache_keys.${i}`, `cache_values.${i}`]).flat()
}

/**
 * Writes the new places of B rows, T each. `key_offsets` [B, 1, 1, T] and `value_offsets` [B, 1, T, 1] are those of a
 * token's first number in its slab; `bias_offsets` [B, 1] of a row in the bias, and `lengths` [B, 1] with the new.
 */
export function appendGraph ({ layers, kvHeads, headDim, maxLength }: Slabs): Uint8Array {
  const heads = Array.from({ length: kvHeads }, (_, head) => head)
  const places = Array.from({ length: maxLength }, (_, place) => place)
  const keys = Array.from({ length: kvHeads * headDim }, (_, stripe) => stripe * maxLength)
  const values = heads.flatMap(head => Array.from({ length: headDim }, (_, i) => head * maxLength * headDim + i))
  const constants: GraphConstant[] = [
    { name: 'keys', dims: [1, kvHeads, headDim, 1], data: Int32Array.from(keys) },
    { name: 'values', dims: [1, kvHeads, 1, headDim], data: Int32Array.from(values) },
    { name: 'places', dims: [1, maxLength], data: Int32Array.from(places) },
    { name: 'place_numbers', dims: [1, maxLength], data: Float32Array.from(places) },
    { name: 'zero', dims: [], data: Float32Array.of(0) },
    { name: 'hidden', dims: [], data: Float32Array.of(hidden) },
    { name: 'largest', dims: [], data: Float32Array.of(largest) },
    { name: 'flat', dims: [1], data: BigInt64Array.of(-1n) }
  ]
  const flat = (name: string): GraphNode => ({ op: 'Reshape', inputs: [name, 'flat'], outputs: [`${name}.flat`] })
  const at = (offsets: string, constant: string): GraphNode[] => [
    { op: 'Add', inputs: [offsets, constant], outputs: [`${constant}.at`] },
    flat(`${constant}.at`)
  ]
  const scatter = (slab: string, constant: string, values: string): GraphNode => ({
    op: 'ScatterElements',
    inputs: [slab, `${constant}.at.flat`, `${values}.flat`],
    outputs: [`present.${slab}`],
    attributes: { axis: 0 }
  })
  const nodes: GraphNode[] = [
    ...at('key_offsets', 'keys'),
    ...at('value_offsets', 'values'),
    ...at('bias_offsets', 'places'),
    { op: 'Less', inputs: ['place_numbers', 'lengths'], outputs: ['is_shown'] },
    { op: 'Where', inputs: ['is_shown', 'zero', 'hidden'], outputs: ['bias'] },
    flat('bias'),
    scatter('cache_bias', 'places', 'bias'),
    ...slabNames(layers).flatMap(slab => [
      { op: 'Abs', inputs: [newName(slab)], outputs: [`${slab}.size`] },
      { op: 'Less', inputs: [`${slab}.size`, 'largest'], outputs: [`${slab}.is_number`] },
      { op: 'Where', inputs: [`${slab}.is_number`, newName(slab), 'zero'], outputs: [`${slab}.new`] },
      flat(`${slab}.new`),
      scatter(slab, isKeys(slab) ? 'keys' : 'values', `${slab}.new`)
    ])
  ]
  const all = ['cache_bias', ...slabNames(layers)]
  return encodeGraph({
    inputs: [
      { name: 'key_offsets', type: 'int32', dims: ['rows', 1, 1, 'new'] },
      { name: 'value_offsets', type: 'int32', dims: ['rows', 1, 'new', 1] },
      { name: 'bias_offsets', type: 'int32', dims: ['rows', 1] },
      { name: 'lengths', type: 'float32', dims: ['rows', 1] },
      ...all.map((name): GraphValue => ({ name, type: 'float32', dims: [`${name}.size`] })),
      ...slabNames(layers).map((name): GraphValue => ({
        name: newName(name),
        type: 'float32',
        dims: isKeys(name) ? ['rows', kvHeads, headDim, 'new'] : ['rows', kvHeads, 'new', headDim]
      }))
    ],
    outputs: all.map(name => ({ name: `present.${name}`, type: 'float32', dims: [`${name}.size`] })),
    nodes,
    constants
  })
}

/** Rows `from` [n] go to rows `to` [n, 1] of each slab, [rows, numbers of a row], all at once. */
export function moveGraph ({ layers }: Slabs): Uint8Array {
  return rowGraph(layers, [{ name: 'to', type: 'int64', dims: ['moved', 1] }], 'all', name => [
    { op: 'Gather', inputs: [name, 'from'], outputs: [`${name}.rows`], attributes: { axis: 0 } },
    { op: 'ScatterND', inputs: [name, 'to', `${name}.rows`], outputs: [`present.${name}`] }
  ])
}

/** Copies of rows `from` [n] of each slab. */
export function takeGraph ({ layers }: Slabs): Uint8Array {
  return rowGraph(layers, [], 'moved', name => [
    { op: 'Gather', inputs: [name, 'from'], outputs: [`present.${name}`], attributes: { axis: 0 } }
  ])
}

/** Some rows of states, [rows, width], in the order of `from` [n]. */
export function pickGraph (): Uint8Array {
  return encodeGraph({
    inputs: [
      { name: 'states', type: 'float32', dims: ['rows', 'width'] },
      { name: 'from', type: 'int32', dims: ['picked'] }
    ],
    outputs: [{ name: 'picked_states', type: 'float32', dims: ['picked', 'width'] }],
    nodes: [{ op: 'Gather', inputs: ['states', 'from'], outputs: ['picked_states'], attributes: { axis: 0 } }]
  })
}

export function newName (slab: string): string {
  return slab.replace('cache_', 'new_')
}

export function isKeys (slab: string): boolean {
  return slab.startsWith('cache_keys')
}

function rowGraph (
  layers: number,
  inputs: GraphValue[],
  rows: string,
  nodesOf: (slab: string) => GraphNode[]
): Uint8Array {
  const all = ['cache_bias', ...slabNames(layers)]
  return encodeGraph({
    inputs: [
      { name: 'from', type: 'int32', dims: ['moved'] },
      ...inputs,
      ...all.map((name): GraphValue => ({ name, type: 'float32', dims: ['all', `${name}.width`] }))
    ],
    outputs: all.map(name => ({ name: `present.${name}`, type: 'float32', dims: [rows, `${name}.width`] })),
    nodes: all.flatMap(nodesOf)
  })
}
