/** Memory of the device, and small graphs that work on it. */
import { pickGraph } from './device-graphs.ts'
import type { Pick } from './heads.ts'
import { openAllocator, openSession, view, type DeviceTensor, type Session } from './session.ts'

export type DeviceMemory = {
  /** Single-precision zeros, held until all is released. */
  zeros(dims: number[]): Promise<DeviceTensor>
  open(graph: Uint8Array): Promise<Session>
  release(): Promise<void>
}

export async function openDeviceMemory (options: Parameters<typeof openSession>[1]): Promise<DeviceMemory> {
  const allocator = await openAllocator(options)
  const sessions: Session[] = []
  return {
    zeros: allocator.zeros,
    async open (graph) {
      const session = await openSession(graph, options)
      sessions.push(session)
      return session
    },
    async release () {
      await allocator.release()
      for (const session of sessions.splice(0)) await session.release()
    }
  }
}

/** Rows of one tensor of states, `most` at most, in any order. What it gives holds until the next. */
export async function createPick (memory: DeviceMemory, most: number, hiddenSize: number): Promise<Pick> {
  const session = await memory.open(pickGraph())
  const picked = await memory.zeros([most, hiddenSize])
  return async states => {
    const [first] = states
    if (first === undefined || states.some(({ tensor }) => tensor !== first.tensor)) {
      throw new Error('the states lie in several tensors')
    }
    if (states.length === first.tensor.dims[0] && states.every(({ row }, i) => row === i)) return first.tensor
    const place = view(picked, [states.length, hiddenSize])
    const from = { type: 'int32' as const, data: Int32Array.from(states, ({ row }) => row), dims: [states.length] }
    await session.run({ states: first.tensor, from }, { picked_states: place })
    return place
  }
}
