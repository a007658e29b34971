/** The query of routes that list things. */
import type { FastifyRequest } from 'fastify'
import { Type, type TProperties } from 'typebox'

export function listQuery<More extends TProperties> (most: number, more: More) {
  return Type.Object({
    after: Type.Optional(Type.String({ description: 'The `last_id` of the part before' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: most, description: 'How many at most' })
    ),
    ...more
  })
}

/** A query is text: its numbers are checked as such, and what is empty is not given. */
export async function readQuery (request: FastifyRequest) {
  const query: Record<string, unknown> = Object.fromEntries(
    Object.entries(request.query ?? {}).filter(([, text]) => text !== '')
  )
  request.query = query
  if (typeof query.limit === 'string' && /^\d{1,9}$/.test(query.limit)) query.limit = Number(query.limit)
}
