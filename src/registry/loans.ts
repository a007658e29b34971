/** How many requests use a model now, and when it was used last. */
import { worstCost, type Planned } from '../pipe/cost.ts'
import type { OpenModel } from './open-model.ts'

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

/** A model as a client has it, until `release`. */
export function lend ({ manifest, text, pool, load }: OpenModel, client: string, end: () => void) {
  const hold = load.hold(client)
  return {
    manifest,
    text,
    submit: pool.submit,
    admit: (work: Planned) => hold.take(worstCost(work, manifest)),
    release () {
      hold.end()
      end()
    }
  }
}
