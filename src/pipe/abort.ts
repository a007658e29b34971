/** Waiting that a signal ends. The reason of each signal here is the error to reject with. */
import { addAbortListener } from 'node:events'

/** Settles as the promise does, or rejects with the signal's reason, whichever is first. What is waited for goes on. */
export async function unlessAborted<T> (promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let listener: Disposable | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    listener = addAbortListener(signal, () => reject(signal.reason))
  })
  return Promise.race([promise, aborted]).finally(() => listener?.[Symbol.dispose]())
}
