/** A picture under its grid of patches: what was dropped is faint, and each patch marks its token. */
import type { Signal } from '@preact/signals'
import { grid, patches } from '../state/server.ts'
import { moves } from './moves.ts'

type Props = {
  src: string
  alt: string
  /** Which patches stay; none is known of where there is none. */
  mask: readonly boolean[]
  codes: ReadonlyMap<number, number>
  probabilities?: readonly number[]
  active: Signal<number | undefined>
  /** Shows the picture as it is; patches are marked all the same. */
  bare?: boolean
  onPick?: (place: number) => void
}

export function TokenPicture ({ src, alt, mask, codes, probabilities, active, bare = false, onPick }: Props) {
  const { rows, columns } = grid.value
  const current = active.value ?? 0
  return (
    <div class='token-picture'>
      <img src={src} alt={alt} />
      {mask.length > 0 && (
        <div
          class={bare ? 'patches bare' : 'patches'}
          role='grid'
          aria-label='Patches of the picture'
          onKeyDown={moves(patches.value, columns, current, place => { active.value = place })}
          onPointerLeave={() => { active.value = undefined }}
        >
          {Array.from({ length: rows }, (_, row) => (
            <div role='row' class='patch-row' key={row}>
              {Array.from({ length: columns }, (_, column) => {
                const place = row * columns + column
                const isKept = mask[place] === true
                return (
                  <button
                    key={place}
                    type='button'
                    role='gridcell'
                    data-cell
                    data-place={place}
                    class={`patch ${isKept ? 'kept' : 'dropped'} ${active.value === place ? 'active' : ''}`}
                    tabIndex={place === current ? 0 : -1}
                    aria-selected={active.value === place}
                    aria-label={tell(place, columns, isKept, codes.get(place), probabilities?.[place])}
                    onFocus={() => { active.value = place }}
                    onPointerEnter={() => { active.value = place }}
                    onClick={() => onPick?.(place)}
                  />
                )
              })}
            </div>
          ))}
        </div>
      )}
    </div>
  )
}

function tell (place: number, columns: number, isKept: boolean, code?: number, probability?: number) {
  const where = tellPlace(place, columns)
  const token = code === undefined ? 'token not asked for yet' : `token ${code}`
  const score = probability === undefined ? '' : `, keep probability ${probability.toFixed(2)}`
  return `${where}: ${isKept ? token : 'dropped'}${score}`
}

export function tellPlace (place: number, columns: number): string {
  return `row ${Math.floor(place / columns) + 1}, column ${(place % columns) + 1}`
}
