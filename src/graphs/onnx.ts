/** Small graphs written here as ONNX files (protocol buffers by their field numbers in onnx.proto3, opset 20). */

export const elementTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const

type ElementType = keyof typeof elementTypes

/** `dims` of a value are numbers, or names of what is known at the run. */
export type GraphValue = { name: string; type: ElementType; dims: (number | string)[] }

/** Attributes are whole numbers: an axis, the type of a cast. */
export type GraphNode = { op: string; inputs: string[]; outputs: string[]; attributes?: Record<string, number> }

export type GraphConstant = { name: string; dims: number[]; data: Float32Array | Int32Array | BigInt64Array }

export type SmallGraph = {
  inputs: GraphValue[]
  outputs: GraphValue[]
  nodes: GraphNode[]
  constants?: GraphConstant[]
}

const irVersion = 10
const opset = 20
const integerAttribute = 2

export function encodeGraph ({ inputs, outputs, nodes, constants = [] }: SmallGraph): Uint8Array {
  const graph = [
    ...nodes.map(node => bytes(1, encodeNode(node))),
    text(2, 'small'),
    ...constants.map(constant => bytes(5, encodeConstant(constant))),
    ...inputs.map(value => bytes(11, encodeValue(value))),
    ...outputs.map(value => bytes(12, encodeValue(value)))
  ]
  return Buffer.concat([number(1, irVersion), bytes(7, Buffer.concat(graph)), bytes(8, number(2, opset))])
}

function encodeNode ({ op, inputs, outputs, attributes = {} }: GraphNode): Buffer {
  return Buffer.concat([
    ...inputs.map(name => text(1, name)),
    ...outputs.map(name => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(5, Buffer.concat([text(1, name), number(3, value), number(20, integerAttribute)]))
    )
  ])
}

function encodeConstant ({ name, dims, data }: GraphConstant): Buffer {
  const type = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64'
  return Buffer.concat([
    ...dims.map(dim => number(1, dim)),
    number(2, elementTypes[type]),
    text(8, name),
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  ])
}

function encodeValue ({ name, type, dims }: GraphValue): Buffer {
  const shape = dims.map(dim => bytes(1, typeof dim === 'number' ? number(1, dim) : text(2, dim)))
  const tensor = Buffer.concat([number(1, elementTypes[type]), bytes(2, Buffer.concat(shape))])
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))])
}

function number (field: number, value: number): Buffer {
  return Buffer.concat([variable(field * 8), variable(value)])
}

function text (field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value))
}

function bytes (field: number, value: Uint8Array): Buffer {
  return Buffer.concat([variable(field * 8 + 2), variable(value.length), value])
}

/** Seven bits a byte, the low ones first. */
function variable (value: number): Buffer {
  const digits: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128)
  return Buffer.from([...digits, rest])
}
