/** The client: JSON requests to the server, tried again while it is busy or loading, so many at a time. */
import { setTimeout as pause } from 'node:timers/promises'
import { retryAfterOf } from '../src/bulk/retry-after.ts'

/** An item without a usable answer: refused, never sent, given up, or of a picture that cannot be read. */
export class RequestError extends Error {}

export type Client = {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
}

export const interrupted = 'not answered before the interruption'
const busy = [429, 503]
const attempts = 10
const longestPauseSeconds = 60

/** Its requests are given up when `signal` says so. */
export function createClient (url: string, key?: string, signal?: AbortSignal): Client {
  const base = url.replace(/\/+$/, '') // which may have a path, behind a proxy
  const own: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {}
  return {
    get: path => send(path, { headers: own }),
    post: (path, body) =>
      send(path, {
        method: 'POST',
        headers: { ...own, 'content-type': 'application/json' },
        body: JSON.stringify(body)
      })
  }

  async function send (path: string, options: RequestInit): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const { response, text } = await fetchText(path, options)
      if (response.ok) return parse(path, text)
      if (!busy.includes(response.status) || attempt === attempts) {
        throw new RequestError(`${path} answered ${kindOf(response, text)}`)
      }
      const seconds = retryAfterOf(response.headers.get('retry-after')) ?? 1
      const milliseconds = 1000 * Math.min(longestPauseSeconds, seconds)
      await pause(milliseconds, undefined, { ...(signal && { signal }) }).catch((cause: Error) => {
        throw new RequestError(interrupted, { cause })
      })
    }
  }

  async function fetchText (path: string, options: RequestInit) {
    try {
      // a redirect that is followed may turn a POST into a GET without its body
      const response = await fetch(`${base}${path}`, { ...options, redirect: 'manual', ...(signal && { signal }) })
      return { response, text: await response.text() }
    } catch (error) {
      const cause = error as Error
      const why = (cause.cause as Error | undefined)?.message ?? cause.message
      const message = signal?.aborted ? interrupted : `${base}${path} does not answer (${why})`
      throw new RequestError(message, { cause })
    }
  }
}

function parse (path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RequestError(`${path} answered what is no JSON: ${text.slice(0, 200)}`, { cause })
  }
}

/**
 * Does `work` on every item, at most `concurrency` at a time, and keeps their order; one failure spoils only its own
 * item.
 */
export async function each<Item, Result> (
  items: Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
  onDone: () => void
): Promise<(Result | RequestError)[]> {
  const results = new Array<Result | RequestError>(items.length)
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(concurrency, items.length) }, async () => {
      for (let index = next++; index < items.length; index = next++) {
        results[index] = await work(items[index]!, index).catch((cause: Error) => {
          if (cause instanceof RequestError) return cause
          throw cause
        })
        onDone()
      }
    })
  )
  return results
}

/** Its status, and where a redirect points or what else is told. */
function kindOf ({ status, headers }: Response, text: string): string {
  const location = status >= 300 && status < 400 ? headers.get('location') : null
  return location === null ? `${status}: ${detailOf(text)}` : `${status} to ${location.slice(0, 200)}`
}

function detailOf (body: string): string {
  try {
    const { code, detail } = JSON.parse(body) as { code?: string; detail?: string }
    return detail ? `${code}: ${detail}` : body.slice(0, 200)
  } catch {
    return body.slice(0, 200)
  }
}
