/** Server-sent events, as they come out of a body. */

export type Message = { event: string; data: string }

/** Messages of a stream of UTF-8, whatever the pieces it comes in. Comments and other fields are left out. */
export async function * messagesOf (body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Message, void> {
  let event = ''
  let data: string[] = []
  for await (const line of linesOf(body)) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? [] // `s`: JSON may hold U+2028
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    if (line !== '') continue
    if (data.length > 0) yield { event: event || 'message', data: data.join('\n') }
    event = ''
    data = []
  }
}

/** Lines that are ended, by CR, LF or both. Whoever stops reading them cancels the body. */
async function * linesOf (body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let endsInCr = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const text = decoder.decode(value, { stream: true })
      if (text === '') continue
      const [first = '', ...others] = (endsInCr ? text.replace(/^\n/, '') : text).split(/\r\n|\n|\r/)
      endsInCr = text.endsWith('\r')
      rest += first
      for (const line of others) {
        yield rest
        rest = line
      }
    }
  } finally {
    await reader.cancel().catch(() => {}) // one that broke is cancelled already
  }
}
