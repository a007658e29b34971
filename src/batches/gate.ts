/** A number of places, given in the order in which they are asked for. */

export type Gate = ReturnType<typeof createGate>
export type Leave = () => void

type Waiting = { amount: number; admit: () => void }

export function createGate (places: number) {
  let free = places
  const waiting: Waiting[] = []
  return { enter }

  /**
   * Resolves with what gives the places back, or with undefined where the signal comes first. More than there are is
   * all of them.
   */
  function enter (signal: AbortSignal, wanted = 1): Promise<Leave | undefined> {
    const amount = Math.min(wanted, places)
    return new Promise(resolve => {
      if (signal.aborted) return resolve(undefined)
      const give = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        resolve(undefined)
        admitFirst()
      }
      const entry = {
        amount,
        admit () {
          signal.removeEventListener('abort', give)
          resolve(() => {
            free += amount
            admitFirst()
          })
        }
      }
      signal.addEventListener('abort', give, { once: true })
      waiting.push(entry)
      admitFirst()
    })
  }

  function admitFirst () {
    for (let [first] = waiting; first && first.amount <= free; [first] = waiting) {
      waiting.shift()
      free -= first.amount
      first.admit()
    }
  }
}
