/** From the words of a command line, of a variable or of the configuration file to values. */
import type { Field } from './document.ts'
import { wrongUsage } from './endings.ts'

/** Throws an Ending that names `where` the wrong value stands. Ranges of a request are the server's to refuse. */
export function parseValue (
  { kind, choices, range }: Omit<Field, 'description'>,
  value: unknown,
  where: string
): unknown {
  const text = Array.isArray(value) ? value.join(',') : String(value).trim()
  const wrong = (allowed: string) => wrongUsage(`${where}: ${JSON.stringify(value)} is not ${allowed}`)
  if (choices) {
    if (choices.includes(text)) return text
    throw wrong(`one of ${choices.join(', ')}`)
  }
  switch (kind) {
    case 'integer':
      if (/^-?\d+$/.test(text) && isWithin(Number(text), range)) return Number(text)
      throw wrong(`a whole number${range ? ` from ${range[0]} to ${range[1]}` : ''}`)
    case 'number':
      if (text !== '' && Number.isFinite(Number(text))) return Number(text)
      throw wrong('a number')
    case 'integers':
      return parseTokens(text, where)
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw wrong('true or false')
    case 'text':
      if (typeof value !== 'object') return String(value)
      throw wrong('a text')
  }
}

function isWithin (value: number, [least, most]: Field['range'] = [-Infinity, Infinity]) {
  return value >= least && value <= most
}

/** Whole numbers with commas or spaces between them. */
export function parseTokens (text: string, where: string): number[] {
  const words = text.split(/[\s,[\]]+/).filter(word => word !== '')
  const wrong = words.find(word => !/^\d+$/.test(word))
  if (wrong !== undefined) throw wrongUsage(`${where}: ${JSON.stringify(wrong)} is not a visual token`)
  if (words.length === 0) throw wrongUsage(`${where}: there are no visual tokens`)
  return words.map(Number)
}
