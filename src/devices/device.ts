/** What an engine can run on: the processor of the host, or a GPU that the runtime reaches by WebGPU. */
import { availableParallelism, cpus } from 'node:os'

export type Device = {
  /** `cpu`, or `webgpu:` and a number that stays while the machine's cards do. */
  id: string
  kind: 'cpu' | 'webgpu'
  name: string
  driver: string | null
  /** A processor that plays a GPU: right and slow, and its memory is the host's. */
  isSoftware: boolean
  memoryBytes: number | null
  largestBufferBytes: number | null
  /** Whether its shaders know half precision. */
  f16: boolean | null
  /** Why no engine can run on it. */
  fault: string | null
  /** What an engine's environment must say so that it sees this device and no other. */
  environment: Record<string, string>
}

/** Finds the GPUs of the machine. Tests have their own. */
export type Probe = () => Promise<Device[]>

/** `memoryBytes` is what the machine, or the container, has. */
export function hostDevice (memoryBytes: number): Device {
  return {
    id: 'cpu',
    kind: 'cpu',
    name: cpus()[0]?.model.trim() || `${availableParallelism()} cores`,
    driver: null,
    isSoftware: false,
    memoryBytes,
    largestBufferBytes: null,
    f16: null,
    fault: null,
    environment: {}
  }
}

/** Of a GPU that nothing tells of. */
export const unknown = {
  driver: null,
  isSoftware: false,
  memoryBytes: null,
  largestBufferBytes: null,
  f16: null,
  fault: null,
  environment: {}
}

/** Where nothing tells of GPUs but the runtime itself, which takes the one that it likes. */
export function unknownGpu (): Device {
  return { id: 'webgpu:0', kind: 'webgpu', name: "the runtime's choice", ...unknown }
}
