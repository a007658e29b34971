/** Requests: sent, tried again while the server asks for it, and ended by signals. */
import { errorOf, errorOfSilence, LavitError } from './error.ts'
import type { CallOptions, ClientOptions } from './types.ts'

export type Request = { method: 'GET' | 'POST'; path: string; accept: string; body?: string }
/** Sends a request until it has an answer of success, and reads it by `read`, all ended by the one signal. */
export type Send = <Answer>(
  request: Request,
  read: (response: Response, signal: AbortSignal) => Promise<Answer>,
  options?: CallOptions
) => Promise<Answer>

const firstPauseMs = 250
const longestTimerMs = 2 ** 31 - 1 // Node's end at once where they are told more
const busy = [429, 503]
const keyText = /^[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?$/
const headerText = 'text that a header can hold: Latin-1, in one line'

declare const location: { href: string } | undefined

export function createSend (options: ClientOptions): Send {
  const { url = 'http://127.0.0.1:8080', apiKey, longestPause = 60, ...client } = options
  if (apiKey !== undefined && !keyText.test(apiKey)) {
    throw new TypeError(`apiKey must be ${headerText}, no space around it`)
  }
  checkHeaders(client.headers)
  const base = addressOf(url)
  const fetch = client.fetch ?? globalThis.fetch.bind(globalThis)

  return async (request, read, options = {}) => {
    const retries = options.retries ?? client.retries ?? 2
    const timeoutMs = options.timeoutMs ?? client.timeoutMs
    checkHeaders(options.headers)
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(wholeMs(timeoutMs))
    const signals = [client.signal, options.signal, timeout].filter(signal => signal !== undefined)
    const signal = AbortSignal.any(signals)
    for (let failures = 0; ; failures++) {
      let isOfCallback = false
      try {
        const response = await ask(request, signal, options.headers)
        isOfCallback = true
        client.onResponse?.(response)
        isOfCallback = false
        if (!response.ok) throw await errorOf(response)
        return await read(response, signal)
      } catch (cause) {
        if (isOfCallback) throw cause
        signal.throwIfAborted()
        const error = cause instanceof LavitError ? cause : errorOfSilence(cause) ?? connectionFailed(cause)
        const pauseMs = failures < retries ? pauseOf(error, failures) : undefined
        if (pauseMs === undefined) throw error
        await pause(pauseMs, signal)
      }
    }
  }

  async function ask ({ method, path, accept, body }: Request, signal: AbortSignal, headers = {}) {
    return fetch(base + path, {
      method,
      signal,
      redirect: 'manual', // to follow one may turn a POST into a GET without its body
      headers: inTheirPlace([
        {
          accept,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` })
        },
        client.headers ?? {},
        headers
      ]),
      ...(body !== undefined && { body })
    })
  }

  /**
   * Before another try, which does no harm: a request changes nothing on the server. The server says where it is worth
   * while by `Retry-After`; a little more keeps many clients apart.
   */
  function pauseOf ({ code, status, retryAfter }: LavitError, failures: number): number | undefined {
    if (code === 'connection_failed') return firstPauseMs * 2 ** failures
    if (!busy.includes(status) || retryAfter === undefined || retryAfter > longestPause) return
    return 1000 * retryAfter * (1 + Math.random() / 4)
  }
}

/** The address without its last slashes. In a browser it may be relative to the page. */
function addressOf (url: string | URL): string {
  const base = typeof location === 'undefined' ? undefined : location.href
  const address = URL.canParse(String(url), base) ? new URL(url, base) : undefined
  if (!address || !/^https?:$/.test(address.protocol) || address.username || address.password) {
    throw new TypeError('url must begin with http:// or https://, and hold no name or password')
  }
  if (/[?#]/.test(String(url))) throw new TypeError('url must end with the path of the server: paths are put after it')
  return (address.origin + address.pathname).replace(/\/+$/, '')
}

/** Throws a `TypeError` that does not tell the value, as that of `Headers` would. */
function checkHeaders (headers: Record<string, string> = {}) {
  for (const [name, value] of Object.entries(headers)) {
    if (isHeader(name, value)) continue
    throw new TypeError(`headers: ${JSON.stringify(name)} must be a name, and its value ${headerText}`)
  }
}

function isHeader (name: string, value: string): boolean {
  try {
    new Headers().set(name, value)
    return true
  } catch {
    return false
  }
}

/** Later headers in the place of earlier ones, whatever the case of their names. */
function inTheirPlace (groups: Record<string, string>[]): Record<string, string> {
  return Object.fromEntries(
    groups.flatMap(group => Object.entries(group).map(([name, value]) => [name.toLowerCase(), value]))
  )
}

/** As a timer of Node takes it. Of a time that is over there is nothing left. */
function wholeMs (ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, 0), longestTimerMs))
}

function connectionFailed (cause: unknown) {
  const reason = cause instanceof Error ? cause.cause instanceof Error ? cause.cause.message : cause.message : cause
  return new LavitError('connection_failed', `the server did not answer: ${reason}`, { cause })
}

async function pause (ms: number, signal: AbortSignal): Promise<void> {
  let wake = () => {}
  const woken = new Promise<void>(resolve => {
    wake = resolve
  })
  const timer = setTimeout(wake, Math.min(ms, longestTimerMs))
  signal.addEventListener('abort', wake)
  await woken
  clearTimeout(timer)
  signal.removeEventListener('abort', wake)
  signal.throwIfAborted()
}
