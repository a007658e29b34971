/** In words, where a manifest is not what its schema says. */
import type { Value } from 'typebox/value'

type Misfits = ReturnType<typeof Value.Errors>

/** The first that tells most: of another schema everything else may differ, too. */
export function tellMisfit (misfits: Misfits): string {
  const misfit = misfits.find(({ instancePath }) => instancePath === '/schema') ?? misfits[0]
  const field = misfit?.instancePath || '/'
  switch (misfit?.keyword) {
    case 'boolean':
      return `${field} is no field of a manifest`
    case 'const':
      return `${field} must be ${constantsAt(field, misfits).join(' or ')}`
    case 'enum':
      return `${field} must be one of ${misfit.params.allowedValues.join(', ')}`
    default:
      return `${field} ${misfit?.message}`
  }
}

/** One for each kind that may stand there. */
function constantsAt (field: string, misfits: Misfits): unknown[] {
  return misfits.flatMap(misfit =>
    misfit.instancePath === field && misfit.keyword === 'const' ? [misfit.params.allowedValue] : []
  )
}
