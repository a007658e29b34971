/** What a graph's file declares of its outputs, held against the manifest when the graph is opened. */
import type { GraphName } from '../package/files.ts'
import { MisfitError, type Session } from './session.ts'

type Place = { axis?: number; field?: string }

/**
 * Throws a MisfitError where an axis of the output, the last if none is named, has another size than the manifest says,
 * in `field` where one field does. A size that is known at the run alone may be any.
 */
export function checkSize (
  graph: GraphName,
  { outputShapes }: Session,
  output: string,
  expected: number,
  { axis = -1, field }: Place = {}
) {
  const size = outputShapes[output]?.at(axis)
  if (typeof size !== 'number' || size === expected) return
  const place = field === undefined ? '' : ` (${field})`
  throw new MisfitError(`the graph ${graph} gives ${output} of ${size}, by the manifest they are ${expected}${place}`)
}
