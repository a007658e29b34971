/** Which URLs may be fetched, as far as their text tells. */
import { isIP } from 'node:net'

export type UrlRules = { allowsHttp: boolean; isAllowed: (address: string) => boolean }

/** Why a URL may not be fetched, in words that go on after "is" and "redirects to". */
export class UrlRefusal extends Error {}

const mostCharacters = 4096

/** Whether a text is meant as a URL of a server, of whatever scheme; without space before it. */
export function looksLikeUrl (text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
}

/** Throws a UrlRefusal. A host in any notation of an IPv4 address is that address. */
export function readUrl (text: string, { allowsHttp, isAllowed }: UrlRules, base?: URL): URL {
  if (text.length > mostCharacters) throw new UrlRefusal(`a URL of more than ${mostCharacters} characters`)
  if (!URL.canParse(text, base?.href)) throw new UrlRefusal('a URL that cannot be read')
  const url = new URL(text, base)
  const isSecure = url.protocol === 'https:'
  if (!isSecure && !(allowsHttp && url.protocol === 'http:')) {
    throw new UrlRefusal(`a URL that is not ${allowsHttp ? 'http or https' : 'https'}`)
  }
  if (!isSecure && base?.protocol === 'https:') throw new UrlRefusal('a URL that leaves https')
  if (url.username !== '' || url.password !== '') throw new UrlRefusal('a URL with a user name or a password')
  if (url.port !== '') throw new UrlRefusal('a URL with a port other than that of its scheme')
  const host = hostOf(url)
  if (isIP(host) > 0 && !isAllowed(host)) throw notPublic()
  return url
}

/** The host as it is dialled: an IPv6 address without brackets. */
export function hostOf ({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** The same words for a name that does not exist and for one of an inner network, which are not to be told apart. */
export function notPublic () {
  return new UrlRefusal('a URL whose host has no public address')
}
