/** Files of pages are sent whole, whatever part or state of them a request asks for. */
import type { FastifyRequest } from 'fastify'

/**
 * Before a file is looked for: a part that it does not have and a condition that it does not meet would end in errors
 * of the library's own. Conditions by which a browser keeps its copy stay.
 */
export async function askForWhole ({ raw: { headers } }: FastifyRequest): Promise<void> {
  delete headers.range
  delete headers['if-match']
  delete headers['if-unmodified-since']
}
