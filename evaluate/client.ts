/** The client: JSON requests to the server, tried again while it is busy or loading, so many at a time. */
import { setTimeout as pause } from 'node:timers/promises'

/** A request that the server refused, or that never reached it. */
export class RequestError extends Error {}

export type Client = {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
}

const busy = [429, 503]
const attempts = 10
const longestPauseSeconds = 60

export function createClient (url: string, key?: string): Client {
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
      const response = await fetch(new URL(path, url), options).catch((cause: Error) => {
        throw new RequestError(
          `${new URL(path, url)} does not answer (${(cause.cause as Error | undefined)?.message ?? cause.message})`,
          { cause }
        )
      })
      const text = await response.text()
      if (response.ok) return JSON.parse(text)
      if (!busy.includes(response.status) || attempt === attempts) {
        throw new RequestError(`${path} answered ${response.status}: ${detailOf(text)}`)
      }
      const seconds = Number(response.headers.get('retry-after') ?? 1)
      await pause(1000 * Math.min(longestPauseSeconds, Number.isFinite(seconds) ? seconds : 1))
    }
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

function detailOf (body: string): string {
  try {
    const { code, detail } = JSON.parse(body) as { code?: string; detail?: string }
    return detail ? `${code}: ${detail}` : body.slice(0, 200)
  } catch {
    return body.slice(0, 200)
  }
}
