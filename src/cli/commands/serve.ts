/** lavit serve: the server, its variables as options. */
import { Environment } from '../../config/environment.ts'
import type { Field } from '../document.ts'

type VariableSchema = { type?: string; enum?: readonly string[]; description?: string; secret?: boolean }

const variables: [name: string, schema: VariableSchema][] = Object.entries(Environment.properties)

/** An option for each variable of the server, but for what others could read in the list of processes. */
export function fieldsOfServer (): (Field & { variable: string })[] {
  return variables
    .filter(([, { secret }]) => secret !== true)
    .map(([variable, { description = '' }]) => ({
      name: nameOf(variable),
      variable,
      kind: 'text',
      description: description.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    }))
}

/** `queue_limit` of `LAVIT_QUEUE_LIMIT`. */
function nameOf (variable: string) {
  return variable.replace(/^LAVIT_/, '').toLowerCase()
}
