/** As much of ONNX files as the benchmark needs: what their multiplications cost, and graphs of a single one. */
import { readFileSync } from 'node:fs'
import { PbfReader, PbfWriter } from 'pbf'

type Node = { inputs: string[]; outputs: string[]; operator: string }
type Graph = { nodes: Node[]; weights: Map<string, number[]> } // dims by name

// Operators that a matrix goes through on its way from the file to its product.
const passing = ['Cast', 'DequantizeLinear', 'Mul', 'Transpose', 'Reshape', 'Slice', 'Concat']

/** Of products in single precision, and of those whose sides are both 8-bit whole numbers. */
export type Operations = { single: number; whole: number }

/** Operations for one row: two for each weight of its matrices. Tables that are looked up cost none. */
export function operationsOf (file: string): Operations {
  const { nodes, weights } = readGraph(file)
  const makers = new Map(nodes.flatMap(node => node.outputs.map(output => [output, node])))
  const matrixBehind = (name = ''): number[] | undefined => {
    const dims = weights.get(name)
    if (dims) return dims.length > 1 ? dims : undefined
    const maker = makers.get(name)
    if (!maker || !passing.includes(maker.operator)) return
    return maker.inputs.map(matrixBehind).find(found => found !== undefined)
  }
  const sum: Operations = { single: 0, whole: 0 }
  for (const { operator, inputs } of nodes) {
    if (!['MatMul', 'Gemm'].includes(operator)) continue
    const areWhole = inputs.slice(0, 2).every(name => makers.get(name)?.operator === 'DequantizeLinear')
    sum[areWhole ? 'whole' : 'single'] += matrixBehind(inputs[1])?.reduce((product, dim) => product * dim, 2) ?? 0
  }
  return sum
}

const types = { float: 1, uint8: 2, int8: 3 } // of ONNX

/** A model file that multiplies `a` and `b`, each float32 [size, size], to `c`. */
export function multiplicationOf (size: number): Uint8Array {
  return modelOf(size, ['a', 'b'], [{ operator: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }])
}

/** A model file that rounds `a`, float32 [size, size], to 8 bits, and multiplies it with an 8-bit matrix, to `c`. */
export function wholeMultiplicationOf (size: number): Uint8Array {
  const matrix = Uint8Array.from({ length: size * size }, (_, i) => i % 251)
  return modelOf(
    size,
    ['a'],
    [
      { operator: 'QuantizeLinear', inputs: ['a', 'step', 'zero'], outputs: ['levels'] },
      { operator: 'DequantizeLinear', inputs: ['levels', 'step', 'zero'], outputs: ['rounded'] },
      { operator: 'DequantizeLinear', inputs: ['bytes', 'step'], outputs: ['matrix'] },
      { operator: 'MatMul', inputs: ['rounded', 'matrix'], outputs: ['c'] }
    ],
    [
      { name: 'step', type: 'float', dims: [], data: new Uint8Array(Float32Array.of(0.01).buffer) },
      { name: 'zero', type: 'uint8', dims: [], data: Uint8Array.of(128) },
      { name: 'bytes', type: 'int8', dims: [size, size], data: matrix }
    ]
  )
}

type Weight = { name: string; type: keyof typeof types; dims: number[]; data: Uint8Array }

function modelOf (size: number, inputs: string[], nodes: Node[], weights: Weight[] = []): Uint8Array {
  const tensor = (name: string) => (_: object, writer: PbfWriter) => {
    writer.writeStringField(1, name)
    writer.writeMessage(2, (_, type) => type.writeMessage(1, (_, shaped) => {
      shaped.writeVarintField(1, types.float)
      shaped.writeMessage(2, (_, shape) => {
        for (let i = 0; i < 2; i++) shape.writeMessage(1, (_, dim) => dim.writeVarintField(1, size), {})
      }, {})
    }, {}), {})
  }
  const writer = new PbfWriter()
  writer.writeVarintField(1, 10) // of the intermediate representation
  writer.writeMessage(8, (_, operators) => operators.writeVarintField(2, 20), {})
  writer.writeMessage(7, (_, graph) => {
    for (const { inputs, outputs, operator } of nodes) {
      graph.writeMessage(1, (_, node) => {
        for (const input of inputs) node.writeStringField(1, input)
        for (const output of outputs) node.writeStringField(2, output)
        node.writeStringField(4, operator)
      }, {})
    }
    graph.writeStringField(2, 'multiplication')
    for (const { name, type, dims, data } of weights) {
      graph.writeMessage(5, (_, weight) => {
        weight.writePackedVarint(1, dims)
        weight.writeVarintField(2, types[type])
        weight.writeStringField(8, name)
        weight.writeBytesField(9, data)
      }, {})
    }
    for (const input of inputs) graph.writeMessage(11, tensor(input), {})
    graph.writeMessage(12, tensor('c'), {})
  }, {})
  return writer.finish()
}

function readGraph (file: string): Graph {
  const graph: Graph = { nodes: [], weights: new Map() }
  new PbfReader(readFileSync(file)).readFields((tag, _, model) => {
    if (tag !== 7) return
    model.readMessage((tag, _, reader) => {
      if (tag === 1) graph.nodes.push(readNode(reader))
      if (tag === 5) graph.weights.set(...readWeight(reader))
    }, {})
  }, {})
  return graph
}

function readNode (reader: PbfReader): Node {
  return reader.readMessage<Node>((tag, node, fields) => {
    if (tag === 1) node.inputs.push(fields.readString())
    if (tag === 2) node.outputs.push(fields.readString())
    if (tag === 4) node.operator = fields.readString()
  }, { inputs: [], outputs: [], operator: '' })
}

function readWeight (reader: PbfReader): [name: string, dims: number[]] {
  const weight = reader.readMessage<{ name: string; dims: number[] }>((tag, weight, fields) => {
    if (tag === 1) fields.readPackedVarint(weight.dims)
    if (tag === 8) weight.name = fields.readString()
  }, { name: '', dims: [] })
  return [weight.name, weight.dims]
}
