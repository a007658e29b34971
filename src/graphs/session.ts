/** The only door to the ONNX runtime: opens a graph file on a device and runs it with named, checked inputs. */
import * as ort from 'onnxruntime-node'

export type Device = 'cpu' | 'webgpu'

/** `data` is row-major and holds exactly the product of `dims` values. */
export type Input =
  | { type: 'float32'; data: Float32Array; dims: number[] }
  | { type: 'int64'; data: BigInt64Array; dims: number[] }
  | { type: 'uint8' | 'bool'; data: Uint8Array; dims: number[] }

export type Output = { data: ort.Tensor['data']; dims: readonly number[] }

export type Session = {
  inputNames: readonly string[]
  outputNames: readonly string[]
  /** Gives all outputs, or those that are named, or those that have a place to be written to. */
  run(inputs: Record<string, Input>, outputs?: string[] | Record<string, Input>): Promise<Record<string, Output>>
  release(): Promise<void>
}

/** A graph that is not what its manifest says; the message is for whoever uses the package. */
export class MisfitError extends Error {}

/**
 * Opens one graph, of a file or of its bytes. `threads` is the size of its own thread pool; idle threads sleep instead
 * of spinning.
 */
export async function openSession (
  graph: string | Uint8Array,
  { device, threads }: { device: Device; threads: number }
): Promise<Session> {
  const options = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    enableMemPattern: false, // one would be kept for each new shape, of which batches have no end
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  }
  const session = await (typeof graph === 'string'
    ? ort.InferenceSession.create(graph, options)
    : ort.InferenceSession.create(graph, options))
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run (inputs, outputs = [...session.outputNames]) {
      checkNames(session.inputNames, inputs)
      try {
        return await session.run(tensorsOf(inputs), Array.isArray(outputs) ? outputs : tensorsOf(outputs))
      } catch (cause) {
        throw new Error(`graph run failed with inputs ${describe(inputs)}`, { cause })
      }
    },
    release: () => session.release()
  }
}

/** The float32 values of an output, by name. */
export function floats (outputs: Record<string, Output>, name: string): Float32Array {
  const data = outputs[name]?.data
  if (!(data instanceof Float32Array)) throw new Error(`the graph has no float32 output ${name}`)
  return data
}

/** The int64 values of an output, by name. */
export function integers (outputs: Record<string, Output>, name: string): BigInt64Array {
  const data = outputs[name]?.data
  if (!(data instanceof BigInt64Array)) throw new Error(`the graph has no int64 output ${name}`)
  return data
}

function tensorsOf (values: Record<string, Input>): Record<string, ort.Tensor> {
  const tensors: Record<string, ort.Tensor> = {}
  for (const [name, { type, data, dims }] of Object.entries(values)) tensors[name] = new ort.Tensor(type, data, dims)
  return tensors
}

function checkNames (expected: readonly string[], inputs: Record<string, Input>): void {
  const missing = expected.filter(name => !(name in inputs))
  const unknown = Object.keys(inputs).filter(name => !expected.includes(name))
  if (missing.length > 0) throw new Error(`missing graph inputs: ${missing.join(', ')}`)
  if (unknown.length > 0) throw new Error(`unknown graph inputs: ${unknown.join(', ')}`)
}

/** Names, types and dims; never the data, which may be a client's picture. */
function describe (inputs: Record<string, Input>): string {
  return Object.entries(inputs)
    .map(([name, { type, dims }]) => `${name} ${type}[${dims.join(',')}]`)
    .join(', ')
}
