/**
 * Calls that run, for those that are cancelled by another request, as in the protocol's revisions of 2025: a call is
 * known by its client, the client's session and its id.
 */
import { randomUUID } from 'node:crypto'
import { fieldOf } from './messages.ts'

/** A client by its key or address, and the session that it was given when it introduced itself. */
export type Caller = { client: string; session: string | undefined }

export type Calls = ReturnType<typeof createCalls>

export function createCalls () {
  const running = new Map<string, Set<() => void>>()

  return {
    /** Notes a call by the id of its message; gives what is to be done at its end. */
    begin (caller: Caller, id: unknown, cancel: () => void): () => void {
      const name = nameOf(caller, id)
      const calls = running.get(name) ?? new Set()
      running.set(name, calls.add(cancel))
      return () => {
        calls.delete(cancel)
        if (calls.size === 0) running.delete(name)
      }
    },

    /** Cancels the calls that messages name, each if it names one; neither where there are two of the name. */
    hear (caller: Caller, body: unknown): void {
      for (const message of [body].flat()) {
        const id = fieldOf(fieldOf(message, 'params'), 'requestId')
        if (fieldOf(message, 'method') !== 'notifications/cancelled' || id === undefined) continue
        const calls = running.get(nameOf(caller, id))
        if (calls?.size === 1) for (const cancel of calls) cancel()
      }
    }
  }
}

/** The session of a client that introduces itself by this message. */
export function sessionFor (message: unknown): string | undefined {
  return fieldOf(message, 'method') === 'initialize' ? randomUUID() : undefined
}

function nameOf ({ client, session }: Caller, id: unknown): string {
  return JSON.stringify([client, session, id])
}
