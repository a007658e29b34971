/** Memory for what a graph writes again and again, so that a run leaves nothing to be collected. */

export type Room = (length: number) => Float32Array

/** Every piece begins where the one before began: its numbers hold until the next one is taken. */
export function createRoom (): Room {
  let all = new Float32Array()
  return length => {
    if (all.length < length) all = new Float32Array(2 ** Math.ceil(Math.log2(length)))
    return all.subarray(0, length)
  }
}
