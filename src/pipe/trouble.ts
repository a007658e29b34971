/** Whether an error of the runtime says that its device is gone, or that memory ran out: only a new process helps. */

export type Trouble = 'lost' | 'memory'

// WebGPU's and Dawn's words, Vulkan's results, and the runtime's own
const lost =
  /device (is |was |has been )?lost|lost device|device_lost|device removed|device_removed|parent device is lost/i
const memory =
  /out of memory|out_of_(device_|host_|pool_)?memory|bad_alloc|failed to allocate memory|failed to create gpu buffer/i

export function troubleOf (text: string): Trouble | undefined {
  if (lost.test(text)) return 'lost'
  return memory.test(text) ? 'memory' : undefined
}

export const wordsOf: Record<Trouble, string> = {
  lost: 'the device is lost',
  memory: 'the device has too little memory'
}

/**
 * Watches one engine process. `onTrouble` hears of the first trouble; where the engine had opened its model, `end` is
 * called then. The runtime only writes that a GPU is lost, and goes on with wrong numbers, so its lines count.
 */
export function watchTrouble ({
  device,
  onTrouble,
  end
}: {
  device: string
  onTrouble: ((trouble: Trouble) => void) | undefined
  end: () => void
}) {
  let isOpen = false
  let isTroubled = false

  return {
    opened (): void {
      isOpen = true
    },

    /** A line of the process. */
    hear (line: string): void {
      const trouble = device === 'cpu' ? undefined : troubleOf(line)
      if (trouble) arose(trouble)
    },

    arose
  }

  function arose (trouble: Trouble): void {
    if (isTroubled) return
    isTroubled = true
    onTrouble?.(trouble)
    if (isOpen) end()
  }
}
