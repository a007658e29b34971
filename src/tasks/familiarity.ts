/** What an answer says of a picture that the model may not know. */
import type { Manifest } from '../package/manifest.ts'
import type { Warning } from '../schemas/common.ts'

type Doubts = { familiarity?: number; warnings?: Warning[] }

/** The fields of an answer about a picture; none where the model does not judge pictures. */
export function tellFamiliarity (
  { familiarity: judge }: Manifest,
  { familiarity }: { familiarity?: number }
): Doubts {
  if (familiarity === undefined) return {}
  if (judge === undefined || familiarity >= judge.threshold) return { familiarity }
  const compared = `familiarity ${familiarity.toFixed(3)}, below ${judge.threshold}`
  const detail = `The picture is unlike what this model knows (${compared}): the answer may be wrong`
  return { familiarity, warnings: [{ code: 'outside_domain', detail }] }
}
