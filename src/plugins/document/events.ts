/** Streamed answers, as OpenAPI can say them: the schema is that of the data of one event. */
import type { TSchema } from 'typebox'
import { eventType } from '../events.ts'
import type { Media, Schema } from './shape.ts'

/** Beside the answer as JSON, which is the data of `done`. */
export function addEvents (content: Media, events: Record<string, TSchema> | string) {
  if (typeof events === 'string') {
    content[eventType] = { schema: { type: 'string', description: events } }
    return
  }
  const answer = content['application/json']?.schema
  if (!answer) throw new Error('a streamed answer can be had whole, too')
  const refs: Record<string, Schema> = {
    ...Object.fromEntries(
      Object.entries(events).map(([name, schema]) => [name, { $ref: `#/components/schemas/${nameOf(schema)}` }])
    ),
    done: answer,
    error: { $ref: '#/components/schemas/Problem' }
  }
  const told = Object.entries(refs)
    .map(([name, { $ref }]) => `\`${name}\` (${$ref?.split('/').at(-1)})`)
    .join(', ')
  content[eventType] = {
    schema: {
      description:
        `Data of one server-sent event, JSON by the name of the event: ${told}. Exactly one \`done\` or ` +
        '`error` comes, always last; the data of `done` are the bytes that a request without `stream` answers. ' +
        'Comment lines keep the connection in times of silence. What is refused before the first event or comment ' +
        'has its HTTP status',
      anyOf: Object.values(refs)
    }
  }
}

function nameOf (schema: TSchema): string {
  if (!('$id' in schema)) throw new Error('the schema of an event has a name')
  return String(schema.$id)
}
