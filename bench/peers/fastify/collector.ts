/** Single requests to batches that run one after the other. */

/** The answers of `run` are in the order of its inputs. A batch begins when it is full, or its first has waited. */
export function createCollector<Input, Output> ({
  most,
  waitMs,
  run
}: {
  most: number
  waitMs: number
  run: (inputs: Input[]) => Promise<Output[]>
}): (input: Input) => Promise<Output> {
  type Entry = { input: Input; resolve: (output: Output) => void; reject: (error: unknown) => void }
  const waiting: Entry[] = []
  let isBusy = false
  let timer: NodeJS.Timeout | undefined

  return input =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject })
      consider()
    })

  function consider () {
    if (isBusy || waiting.length === 0) return
    if (waiting.length >= most || waitMs === 0) begin()
    else timer ??= setTimeout(begin, waitMs)
  }

  async function begin () {
    clearTimeout(timer)
    timer = undefined
    isBusy = true
    const entries = waiting.splice(0, most)
    try {
      const outputs = await run(entries.map(({ input }) => input))
      for (const [i, output] of outputs.entries()) entries[i]?.resolve(output)
    } catch (error) {
      for (const { reject } of entries) reject(error)
    }
    isBusy = false
    consider()
  }
}
