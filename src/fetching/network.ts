/** How a picture's server is found and asked: names by DNS, and one request to addresses that are known. */
import { Resolver } from 'node:dns/promises'
import { addAbortListener } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { isPublic } from './addresses.ts'
import { hostOf } from './url.ts'

export type Network = {
  /** Every address of a name, none for a name that has none. Rejects where the name servers cannot tell. */
  resolve: (host: string, signal: AbortSignal) => Promise<string[]>
  isAllowed: (address: string) => boolean
  /** In place of the scheme's port and of the authorities that are trusted. */
  dial?: { port?: number; ca?: string }
}

export const internet: Network = { resolve: dnsOf(), isAllowed: isPublic }

const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'lavit-server' }

/**
 * Asks name servers, those of this machine unless told: no file of hosts, no search domains, and no thread that a slow
 * answer holds.
 */
export function dnsOf (servers?: string[]): Network['resolve'] {
  return async (host, signal) => {
    const resolver = new Resolver({ timeout: 2000, tries: 2 })
    if (servers) resolver.setServers(servers)
    const listener = addAbortListener(signal, () => resolver.cancel())
    try {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
      const fault = answers.find(answer => answer.status === 'rejected' && !isAbsent(answer.reason))
      if (addresses.length === 0 && fault?.status === 'rejected') throw fault.reason
      return addresses
    } finally {
      listener[Symbol.dispose]()
    }
  }
}

function isAbsent ({ code }: { code?: unknown }) {
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME'
}

/** Dials one of the addresses, whatever the name would resolve to now. Nothing is kept: no cookies, no connection. */
export async function get (
  url: URL,
  addresses: string[],
  { dial }: Network,
  signal: AbortSignal
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    request({
      ...dial,
      hostname: hostOf(url),
      path: url.pathname + url.search,
      headers,
      agent: false,
      lookup: answerWith(addresses),
      signal
    })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
}

function answerWith (addresses: string[]): LookupFunction {
  const known = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_host, { all }, answer) => {
    const [first] = known
    if (all || first === undefined) answer(null, known)
    else answer(null, first.address, first.family)
  }
}
