/** As much of ONNX files as the benchmark needs: what their multiplications cost, and a graph of a single one. */
import { readFileSync } from 'node:fs'
import { PbfReader, PbfWriter } from 'pbf'

type Node = { inputs: string[]; outputs: string[]; operator: string }
type Graph = { nodes: Node[]; weights: Map<string, number[]> } // dims by name

// Operators that a matrix goes through on its way from the file to its product.
const passing = ['Cast', 'DequantizeLinear', 'Mul', 'Transpose', 'Reshape', 'Slice', 'Concat']

/** Operations for one row: two for each weight of its matrices. Tables that are looked up cost none. */
export function operationsOf (file: string): number {
  const { nodes, weights } = readGraph(file)
  const makers = new Map(nodes.flatMap(node => node.outputs.map(output => [output, node])))
  const matrixBehind = (name = ''): number[] | undefined => {
    const dims = weights.get(name)
    if (dims) return dims.length > 1 ? dims : undefined
    const maker = makers.get(name)
    if (!maker || !passing.includes(maker.operator)) return
    return maker.inputs.map(matrixBehind).find(found => found !== undefined)
  }
  return nodes
    .filter(({ operator }) => ['MatMul', 'Gemm'].includes(operator))
    .map(({ inputs }) => matrixBehind(inputs[1])?.reduce((product, dim) => product * dim, 2) ?? 0)
    .reduce((sum, operations) => sum + operations, 0)
}

/** A model file that multiplies `a` and `b`, each float32 [size, size], to `c`. */
export function multiplicationOf (size: number): Uint8Array {
  const tensor = (name: string) => (_: object, writer: PbfWriter) => {
    writer.writeStringField(1, name)
    writer.writeMessage(2, (_, type) => type.writeMessage(1, (_, shaped) => {
      shaped.writeVarintField(1, 1) // float32
      shaped.writeMessage(2, (_, shape) => {
        for (let i = 0; i < 2; i++) shape.writeMessage(1, (_, dim) => dim.writeVarintField(1, size), {})
      }, {})
    }, {}), {})
  }
  const writer = new PbfWriter()
  writer.writeVarintField(1, 10) // of the intermediate representation
  writer.writeMessage(8, (_, operators) => operators.writeVarintField(2, 20), {})
  writer.writeMessage(7, (_, graph) => {
    graph.writeMessage(1, (_, node) => {
      for (const input of ['a', 'b']) node.writeStringField(1, input)
      node.writeStringField(2, 'c')
      node.writeStringField(4, 'MatMul')
    }, {})
    graph.writeStringField(2, 'multiplication')
    for (const input of ['a', 'b']) graph.writeMessage(11, tensor(input), {})
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
