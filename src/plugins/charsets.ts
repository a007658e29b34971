/** Charsets that the parts of a form name in their heads, which the library reads but does not tell. */

const mostHeadBytes = 81_920 // as the library

/** `charset` is as it came; a part that names none has none. */
type Named = { name: string; charset: string | undefined }

/** Sees the bytes of a form as they arrive, before whoever reads its parts. */
export function watchCharsets (contentType = '') {
  const delimiter = `\r\n--${boundaryOf(contentType)}`
  const parts: Named[] = []
  let held = Buffer.from('\r\n') // the first delimiter begins the body
  let isHead = false

  return {
    see (chunk: Buffer) {
      held = Buffer.concat([held, chunk])
      for (let end = find(); end !== -1; end = find()) {
        if (isHead) parts.push(readHead(held.toString('utf8', 0, end)))
        held = held.subarray(end + (isHead ? 2 : delimiter.length)) // the next delimiter may follow an empty line
        isHead = !isHead
      }
      if (isHead && held.length > mostHeadBytes) isHead = false
      if (!isHead) held = Buffer.from(held.subarray(-delimiter.length))
    },

    /** Of the next part with this name. */
    take (name: string): string | undefined {
      const i = parts.findIndex(part => part.name === name)
      return i === -1 ? undefined : parts.splice(i, 1)[0]?.charset
    }
  }

  function find () {
    return held.indexOf(isHead ? '\r\n\r\n' : delimiter)
  }
}

export function boundaryOf (contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? []
  return quoted ?? bare
}

function readHead (head: string): Named {
  const lines = head.replace(/\r\n[ \t]+/g, ' ')
  const [, name = ''] = /^content-disposition:\s*form-data\s*;(?:.*;)?\s*name="?([^";\r]*)/im.exec(lines) ?? []
  const [, charset] = /^content-type:.*;\s*charset\s*=\s*"?([^\s";]+)/im.exec(lines) ?? []
  return { name, charset }
}
