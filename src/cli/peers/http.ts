/** A server over HTTP. */
import { Ending, messageOf, serverAway, wrongUsage } from '../endings.ts'
import { followEvents } from './events.ts'
import type { Answer, Peer, Question } from './peer.ts'

/** Throws an Ending where the URL is none of http or https. */
export function openHttp (url: string, key: string | undefined): Peer {
  const base = URL.canParse(url) ? new URL(url) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    const told = JSON.stringify(url.replace(/\/\/.*@/s, '//…@')) // without a password
    throw wrongUsage(`--url: ${told} is no address such as http://127.0.0.1:8080`)
  }
  if (base.username || base.password) {
    throw wrongUsage('--url: an address with a user or a password cannot be asked; a key goes into LAVIT_KEY')
  }
  if (/[?#]/.test(url)) throw wrongUsage('--url: it must end with the path of the server: paths are put after it')
  if (key !== undefined && !isHeader(key)) throw wrongUsage('--key: it has characters that no header can hold')
  const prefix = base.href.replace(/\/$/, '')
  return { ask, close: async () => {} }

  async function ask ({ path, body, accept = 'application/json', signal, onEvent }: Question): Promise<Answer> {
    try {
      const answer = await fetch(prefix + path, {
        headers: {
          accept: onEvent ? 'text/event-stream' : accept,
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' })
        },
        signal,
        redirect: 'manual', // to follow one may turn a POST into a GET without its body
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) })
      })
      const location = answer.headers.get('location')
      if (location !== null && answer.status >= 300 && answer.status < 400) {
        await answer.body?.cancel()
        const place = location.slice(0, 200)
        throw serverAway(`the server answered ${answer.status} to ${place}, and not as a LaVIT server does`)
      }
      if (onEvent && answer.ok && answer.body) return await followEvents(answer.body, onEvent)
      return {
        status: answer.status,
        header: name => answer.headers.get(name) ?? undefined,
        body: Buffer.from(await answer.arrayBuffer())
      }
    } catch (error) {
      if (signal.aborted || error instanceof Ending) throw error
      throw serverAway(`${base?.origin} does not answer: ${causeOf(error)}`)
    }
  }
}

function isHeader (key: string): boolean {
  try {
    return new Headers({ authorization: `Bearer ${key}` }).has('authorization')
  } catch {
    return false
  }
}

function causeOf (error: unknown): string {
  if (!(error instanceof Error) || error.cause === undefined) return messageOf(error)
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause)
}
