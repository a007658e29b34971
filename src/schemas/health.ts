/** The one good answer of a health check. */
import { Type } from 'typebox'
import { strict } from './common.ts'

export const Health = Type.Object({
  status: Type.Literal('ok', { description: 'Nothing else is said with 200' })
}, { ...strict, $id: 'Health', description: 'All is well', examples: [{ status: 'ok' }] })
