/** What goes to a device and comes from it, and what is kept there. */

export type BusCounts = {
  up: number // bytes of inputs since the start
  down: number // bytes of outputs since the start
  buffers: number // that are held now
  held: number // their bytes
}

export type Bus = ReturnType<typeof createBus>

export function createBus () {
  const counts: BusCounts = { up: 0, down: 0, buffers: 0, held: 0 }
  return {
    counts: (): BusCounts => ({ ...counts }),

    /** The inputs and outputs of a run: what has no data here lies on the device, and does not cross. */
    count (inputs: object[], outputs: object[]): void {
      counts.up += bytesOf(inputs)
      counts.down += bytesOf(outputs)
    },

    hold (buffers: number, bytes: number): void {
      counts.buffers += buffers
      counts.held += bytes
    }
  }
}

function bytesOf (values: object[]): number {
  const data = values.flatMap(value => ('data' in value && ArrayBuffer.isView(value.data) ? [value.data] : []))
  return data.reduce((sum, { byteLength }) => sum + byteLength, 0)
}
