/** Pictures by URL: checked, fetched within limits of bytes, time and redirects, or a typed error. */
import { addAbortListener } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { createShares, type Hold } from '../admission/shares.ts'
import { ServerError, invalidField, tooManyBytes } from '../errors.ts'
import { unlessAborted } from '../pipe/abort.ts'
import { get, internet, type Network } from './network.ts'
import { UrlRefusal, hostOf, notPublic, readUrl } from './url.ts'

export type Fetching = {
  /** Throws `invalid_field` for a URL that may not be fetched, as far as its text tells. */
  readUrl: (text: string, pointer: string) => URL
  /**
   * The bytes that the URL answers. Rejects with `invalid_field`, `image_unreachable`, `too_large`, `queue_full`, or
   * with the signal's reason. `pointer` names the field in errors.
   */
  fetch: (url: URL, options: FetchOptions) => Promise<Uint8Array>
}

export type FetchOptions = {
  pointer: string
  mostBytes: number
  signal: AbortSignal
  /** Who asks: no client takes all places. */
  client: string
  /** Where the memory of what arrives is taken from. */
  upload?: Pick<Hold, 'take'> | undefined
}

export type FetchingLimits = { fetchImages: 'off' | 'https' | 'http'; fetchTimeoutMs: number; clientShare: number }

const mostRedirects = 3
const mostAtOnce = 32

/** Nothing where fetching is off. */
export function createFetching (
  { fetchImages, fetchTimeoutMs, clientShare }: FetchingLimits,
  network: Network = internet
): Fetching | undefined {
  if (fetchImages === 'off') return undefined
  const rules = { allowsHttp: fetchImages === 'http', isAllowed: network.isAllowed }
  const places = createShares({
    most: mostAtOnce,
    share: clientShare,
    words: {
      full: 'As many pictures are being fetched as may be',
      share: 'As many pictures are being fetched for this client as may be beside those of others'
    }
  })
  return {
    readUrl: (text, pointer) => unlessRefused(pointer, 'is', () => readUrl(text, rules)),

    async fetch (url, options) {
      const { pointer, signal, client } = options
      signal.throwIfAborted()
      const place = places.hold(client)
      place.take(1)
      const end = new AbortController()
      const expire = () => end.abort(unreachable(pointer, `it took longer than ${fetchTimeoutMs} ms`))
      const timer = setTimeout(expire, fetchTimeoutMs)
      const listener = addAbortListener(signal, () => end.abort(signal.reason))
      try {
        return await follow(url, { ...options, signal: end.signal })
      } catch (error) {
        if (end.signal.aborted) throw end.signal.reason
        throw error instanceof ServerError ? error : unreachable(pointer, 'the connection failed', error)
      } finally {
        place.end()
        clearTimeout(timer)
        listener[Symbol.dispose]()
        end.abort() // leaves no connection open
      }
    }
  }

  async function follow (first: URL, options: FetchOptions): Promise<Uint8Array> {
    const { pointer, signal } = options
    let url = first
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const addresses = await resolve(url, pointer, redirects === 0 ? 'is' : 'redirects to', signal)
      const response = await get(url, addresses, network, signal)
      const target = redirectOf(response)
      if (target === undefined) return await readBody(response, options)
      const from = url
      url = unlessRefused(pointer, 'redirects to', () => readUrl(target, rules, from))
      response.destroy()
    }
    throw unreachable(pointer, `it is redirected more than ${mostRedirects} times`)
  }

  /** The addresses of the URL's host, each of which may be dialled. */
  async function resolve (url: URL, pointer: string, verb: string, signal: AbortSignal): Promise<string[]> {
    const host = hostOf(url)
    const addresses = isIP(host) > 0 ? [host] : await unlessAborted(network.resolve(host, signal), signal)
    if (addresses.length > 0 && addresses.every(network.isAllowed)) return addresses
    return unlessRefused(pointer, verb, () => { throw notPublic() })
  }
}

function redirectOf ({ statusCode = 0, headers: { location } }: IncomingMessage): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode) ? location : undefined
}

/** Counts what arrives, whatever the answer says of its length. */
async function readBody (response: IncomingMessage, { pointer, mostBytes, upload }: FetchOptions): Promise<Uint8Array> {
  if (response.statusCode !== 200) throw unreachable(pointer, `its server answered ${response.statusCode}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooManyBytes('The picture', mostBytes)
    upload?.take(chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function unlessRefused<T> (pointer: string, verb: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof UrlRefusal ? invalidField(pointer, `${verb} ${error.message}`) : error
  }
}

function unreachable (pointer: string, why: string, cause?: unknown) {
  const message = `could not be fetched: ${why}`
  return new ServerError('image_unreachable', `${pointer.slice(1)} ${message}`, {
    errors: [{ pointer, message }],
    cause
  })
}
