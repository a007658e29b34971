/** What the parts of a manifest are made of. */
import { Type } from 'typebox'

export const strict = { additionalProperties: false }
export const Count = Type.Integer({ minimum: 1 })
export const Size = Type.String({ pattern: '^[0-9]+x[0-9]+$', description: 'WIDTHxHEIGHT' })
