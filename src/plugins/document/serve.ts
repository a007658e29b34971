/** A text that stays as it is, compressed once, with a strong ETag for each form of it. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

type Form = { body: Buffer, etag: string }

const codings = {
  br: promisify(brotliCompress),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: 9 }),
  identity: async (body: Buffer) => body
}

const names = ['br', 'gzip', 'identity'] as const

/** Answers requests with the text, or with 304 where the client has these very bytes. */
export function servesText (type: string, write: () => string) {
  const forms = new Map<string, Promise<Form>>()
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const accepts = request.accepts()
    const coding = names.find(name => accepts.encodings([name]) === name) ?? 'identity'
    const form = forms.get(coding) ?? makeForm(write(), coding)
    forms.set(coding, form)
    const { body, etag } = await form
    reply.header('etag', etag).header('cache-control', 'no-cache')
    if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
    if (coding !== 'identity') reply.header('content-encoding', coding)
    return reply.type(type).send(body)
  }
}

async function makeForm (text: string, coding: keyof typeof codings): Promise<Form> {
  const body = await codings[coding](Buffer.from(text))
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` }
}

/** Weakly, as RFC 9110 asks: proxies that compress make an ETag weak. */
function isKnown (header: string | undefined, etag: string) {
  const tags = (header ?? '').split(',').map(tag => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
