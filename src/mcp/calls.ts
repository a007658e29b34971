/**
 * Calls that run, for those that are cancelled by another request, as in the protocol's revisions of 2025: a call is
 * known by its client, the client's session and its id.
 */
import { randomUUID } from 'node:crypto'

/** A client by its key or address, and the session that it was given when it introduced itself. */
export type Caller = { client: string; session: string | undefined }

export type Calls = ReturnType<typeof createCalls>

export function createCalls () {
  const running = new Map<string, Set<() => void>>()

  return {
    /** Notes a call whose message this is; gives what is to be done at its end. */
    begin (caller: Caller, message: unknown, cancel: () => void): () => void {
      const name = nameOf(caller, fieldOf(message, 'id'))
      const calls = running.get(name) ?? new Set()
      running.set(name, calls.add(cancel))
      return () => {
        calls.delete(cancel)
        if (calls.size === 0) running.delete(name)
      }
    },

    /** Cancels the call that a message names, if it names one; neither where there are two of the name. */
    hear (caller: Caller, message: unknown): void {
      if (fieldOf(message, 'method') !== 'notifications/cancelled') return
      const calls = running.get(nameOf(caller, fieldOf(fieldOf(message, 'params'), 'requestId')))
      if (calls?.size === 1) for (const cancel of calls) cancel()
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

function fieldOf (value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
