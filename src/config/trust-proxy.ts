/** Which proxies are believed: the text of the variable as Fastify wants it. */
import { isIP } from 'node:net'

/** What the text may be, in words. */
export const trustedProxies =
  'true, false, a number of proxies, or a list with commas of addresses, networks such as 10.0.0.0/8, loopback, ' +
  'linklocal, uniquelocal'

/** Nothing where the text says no such thing. */
export function readTrustProxy (
  text = 'false'
): boolean | string[] | ((address: string, hop: number) => boolean) | undefined {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  if (/^\d{1,3}$/.test(text)) return (_address, hop) => hop < Number(text)
  const proxies = text.split(',').map(proxy => proxy.trim())
  return proxies.every(isProxy) ? proxies : undefined
}

function isProxy (text: string) {
  const [address = '', bits, more] = text.split('/')
  if (bits === undefined) return ['loopback', 'linklocal', 'uniquelocal'].includes(text) || isIP(address) > 0
  return (
    more === undefined &&
    isIP(address) > 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (isIP(address) === 4 ? 32 : 128)
  )
}
