/** How many requests use a model now, and when it was used last. */

export type Loans = ReturnType<typeof createLoans>

export function createLoans () {
  let open = 0
  let usedAt = 0

  return {
    open: () => open,
    usedAt: () => usedAt,

    /** Counts as used, without a loan. */
    touch (): void {
      usedAt = performance.now()
    },

    /** Gives the way to end the loan; `onEnd` is called at its first call. */
    begin (onEnd: () => void): () => void {
      let isOpen = true
      open++
      usedAt = performance.now()
      return () => {
        if (!isOpen) return
        isOpen = false
        open--
        onEnd()
      }
    }
  }
}
