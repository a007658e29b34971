/** Requests that the server makes to itself, on behalf of the client who made a batch. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Asker } from '../batches/ask.ts'

/** Holds who it is within such a request, and nothing within one that came over a connection. */
export const onBehalf = new AsyncLocalStorage<Asker>()

export function isOnBehalf (): boolean {
  return onBehalf.getStore() !== undefined
}
