/** Which addresses are on the open internet. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3') // all that is given out so far (IANA)

/**
 * Whether anyone may be at this address. Not for the private, local, shared, special and reserved ranges of the IANA
 * registries, and not for IPv6 that stands for an IPv4 address; a mapped one (`::ffff:…`) is looked at as that.
 */
export function isPublic (address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const read = ipaddr.process(isIP(address) === 6 ? withoutDots(address) : address)
  return read.range() === 'unicast' && (read instanceof ipaddr.IPv4 || read.match(globalUnicast))
}

/** The library takes `::1.2.3.4` for `::ffff:1.2.3.4`; a URL writes both in hexadecimal. */
function withoutDots (address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
