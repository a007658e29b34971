/** The only door to the ONNX runtime: opens a graph file on a device and runs it with named, checked inputs. */
import * as ort from 'onnxruntime-node'
import type { Bus } from './bus.ts'
import { encodeGraph } from './onnx.ts'

export type Device = 'cpu' | 'webgpu'

/** `data` is row-major and holds exactly the product of `dims` values. */
export type Input =
  | { type: 'float32'; data: Float32Array; dims: number[] }
  | { type: 'int64'; data: BigInt64Array; dims: number[] }
  | { type: 'int32'; data: Int32Array; dims: number[] }
  | { type: 'uint8' | 'bool'; data: Uint8Array; dims: number[] }

/** Single-precision numbers in memory of the device, read and written by graphs alone. */
export type DeviceTensor = { type: 'float32'; onDevice: ort.Tensor; dims: number[] }

export type Value = Input | DeviceTensor
export type Output = { data: ort.Tensor['data']; dims: readonly number[] }

export type Session = {
  inputNames: readonly string[]
  outputNames: readonly string[]
  /** As the file declares them; a name stands for what is known at the run. */
  outputShapes: Record<string, readonly (number | string)[]>
  /**
   * Gives all outputs, or those that are named, or those that have a place to be written to (`null`: a new one). What
   * is written to the device is not given. An output may be written where an input lies.
   */
  run(
    inputs: Record<string, Value>,
    outputs?: string[] | Record<string, Value | null>
  ): Promise<Record<string, Output>>
  release(): Promise<void>
}

type Options = {
  device: Device
  threads: number
  bus?: Bus | undefined
  /** Names of nodes that the processor runs wherever the others are; not an empty list. */
  onProcessor?: string[] | undefined
}

/** A graph that is not what its manifest says; the message is for whoever uses the package. */
export class MisfitError extends Error {}

/**
 * Opens one graph, of a file or of its bytes. `threads` is the size of its own thread pool; idle threads sleep instead
 * of spinning. `bus` counts what goes to the device and comes from it.
 */
export async function openSession (
  graph: string | Uint8Array,
  { device, threads, bus, onProcessor }: Options
): Promise<Session> {
  const isSplit = device !== 'cpu' && onProcessor !== undefined
  const session = await create(graph, {
    executionProviders: [isSplit ? { name: device, forceCpuNodeNames: onProcessor } : device],
    intraOpNumThreads: threads,
    enableMemPattern: false, // one would be kept for each new shape, of which batches have no end
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  })
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    outputShapes: Object.fromEntries(
      session.outputMetadata.flatMap(output => (output.isTensor ? [[output.name, output.shape]] : []))
    ),
    async run (inputs, outputs = [...session.outputNames]) {
      checkNames(session.inputNames, inputs)
      try {
        const given = await session.run(tensorsOf(inputs), Array.isArray(outputs) ? outputs : placesOf(outputs))
        if (!bus) return given
        const here = Object.fromEntries(Object.entries(given).filter(([, { location }]) => location === 'cpu'))
        bus.count(Object.values(inputs), Object.values(here))
        return here
      } catch (cause) {
        throw new Error(`graph run failed with inputs ${describe(inputs)}`, { cause })
      }
    },
    release: () => session.release()
  }
}

export type Allocator = Awaited<ReturnType<typeof openAllocator>>

/** Gives memory of the device, filled with zeros. It stays until it is released here. */
export async function openAllocator ({ device, bus }: Pick<Options, 'device' | 'bus'>) {
  const graph = encodeGraph({
    inputs: [
      { name: 'zero', type: 'float32', dims: [1] },
      { name: 'dims', type: 'int64', dims: [1] }
    ],
    outputs: [{ name: 'zeros', type: 'float32', dims: ['count'] }],
    nodes: [{ op: 'Expand', inputs: ['zero', 'dims'], outputs: ['zeros'] }]
  })
  const session = await create(graph, { executionProviders: [device], preferredOutputLocation: 'gpu-buffer' })
  const owned: ort.Tensor[] = []
  return {
    async zeros (dims: number[]): Promise<DeviceTensor> {
      const count = sizeOf(dims)
      const { zeros } = await session.run({
        zero: new ort.Tensor('float32', Float32Array.of(0), [1]),
        dims: new ort.Tensor('int64', BigInt64Array.of(BigInt(count)), [1])
      })
      if (zeros?.location !== 'gpu-buffer') throw new Error('the device keeps no tensors')
      owned.push(zeros)
      bus?.hold(1, 4 * count)
      return view({ type: 'float32', onDevice: zeros, dims: [count] }, dims)
    },
    async release (): Promise<void> {
      for (const tensor of owned.splice(0)) {
        bus?.hold(-1, -4 * tensor.size)
        tensor.dispose()
      }
      await session.release()
    }
  }
}

/** The first numbers of a tensor with other dims: no copy, and nothing to release. */
export function view ({ onDevice }: DeviceTensor, dims: number[]): DeviceTensor {
  const { gpuBuffer } = onDevice
  return { type: 'float32', onDevice: ort.Tensor.fromGpuBuffer(gpuBuffer, { dataType: 'float32', dims }), dims }
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

export function sizeOf (dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

function create (graph: string | Uint8Array, options: ort.InferenceSession.SessionOptions) {
  return typeof graph === 'string'
    ? ort.InferenceSession.create(graph, options)
    : ort.InferenceSession.create(graph, options)
}

function tensorOf (value: Value): ort.Tensor {
  return 'onDevice' in value ? value.onDevice : new ort.Tensor(value.type, value.data, value.dims)
}

function tensorsOf (values: Record<string, Value>): Record<string, ort.Tensor> {
  const tensors: Record<string, ort.Tensor> = {}
  for (const [name, value] of Object.entries(values)) tensors[name] = tensorOf(value)
  return tensors
}

function placesOf (values: Record<string, Value | null>): Record<string, ort.Tensor | null> {
  const places: Record<string, ort.Tensor | null> = {}
  for (const [name, value] of Object.entries(values)) places[name] = value && tensorOf(value)
  return places
}

function checkNames (expected: readonly string[], inputs: Record<string, Value>): void {
  const missing = expected.filter(name => !(name in inputs))
  const unknown = Object.keys(inputs).filter(name => !expected.includes(name))
  if (missing.length > 0) throw new Error(`missing graph inputs: ${missing.join(', ')}`)
  if (unknown.length > 0) throw new Error(`unknown graph inputs: ${unknown.join(', ')}`)
}

/** Names, types and dims; never the data, which may be a client's picture. */
function describe (inputs: Record<string, Value>): string {
  return Object.entries(inputs)
    .map(([name, { type, dims }]) => `${name} ${type}[${dims.join(',')}]`)
    .join(', ')
}
