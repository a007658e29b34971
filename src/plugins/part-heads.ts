/**
 * Heads of the parts of a form: the charsets that they name, which the library reads but does not tell, and heads of no
 * field, which it passes over.
 */

const mostHeadBytes = 81_920 // as the library

/** `charset` is as it came; a part that names none has none. */
type Named = { name: string; charset: string | undefined }

/**
 * Sees the bytes of a form as they arrive, before whoever reads its parts. One with more parts than `most` is refused
 * by that one: what follows the first beyond them counts for nothing.
 */
export function watchHeads (contentType = '', most: number) {
  const delimiter = `\r\n--${boundaryOf(contentType)}`
  const parts: Named[] = []
  let held = Buffer.from('\r\n') // the first delimiter begins the body
  let heads = 0
  let isHead = false
  let isEnded = false
  let hasStray = false

  return {
    see (chunk: Buffer) {
      if (isEnded) return
      held = Buffer.concat([held, chunk])
      for (let end = find(); end !== -1; end = find()) {
        if (isHead) note(held.toString('utf8', 0, end))
        held = held.subarray(end + (isHead ? 2 : delimiter.length)) // the next delimiter may follow an empty line
        isHead = !isHead
      }
      if (isHead && held.length > mostHeadBytes) isHead = false
      if (!isHead) held = Buffer.from(held.subarray(-delimiter.length))
    },

    /** Whether a part came that says of itself to be no field of a form. */
    hasStray: () => hasStray,

    /** Names of the parts whose charset was not taken. */
    names: () => parts.map(({ name }) => name),

    /** The charset of the next part with this name. */
    take (name: string): string | undefined {
      const i = parts.findIndex(part => part.name === name)
      return i === -1 ? undefined : parts.splice(i, 1)[0]?.charset
    }
  }

  function note (head: string) {
    heads++
    const lines = head.replace(/\r\n[ \t]+/g, ' ')
    hasStray ||= !/^content-disposition:\s*form-data\s*(;|$)/im.test(lines)
    parts.push(readHead(lines))
  }

  function find () {
    const isLast = isHead && held.toString('latin1', 0, 2) === '--' // what follows this delimiter counts for nothing
    isEnded = isLast || heads > most
    if (isEnded) return -1
    return held.indexOf(isHead ? '\r\n\r\n' : delimiter)
  }
}

export function boundaryOf (contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? []
  return quoted ?? bare
}

function readHead (lines: string): Named {
  const [, name = ''] = /^content-disposition:\s*form-data\s*;(?:.*;)?\s*name="?([^";\r]*)/im.exec(lines) ?? []
  const [, charset] = /^content-type:.*;\s*charset\s*=\s*"?([^\s";]+)/im.exec(lines) ?? []
  return { name, charset }
}
