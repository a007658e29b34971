/** The tokens of a picture in a row, as pictures, as numbers or as text to copy; each marks its patch. */
import { useSignal, type Signal } from '@preact/signals'
import { codeOf, hasAtlas } from '../state/atlas.ts'
import { grid } from '../state/server.ts'
import { Choose } from './choose.tsx'
import { CopyButton } from './copy-button.tsx'
import { moves } from './moves.ts'
import { Tile } from './tile.tsx'
import { tellPlace } from './token-picture.tsx'

const views = ['Tiles', 'Numbers', 'Text'] as const

/** `token` is missing where a patch stays whose token was not asked for. */
export type Place = { place: number; token: number | undefined }

type Props = {
  places: Place[]
  active: Signal<number | undefined>
  /** Whether it is known where on the picture the tokens stand. */
  isPlaced?: boolean
}

export function TokenRow ({ places, active, isPlaced = true }: Props) {
  const view = useSignal<typeof views[number]>('Tiles')
  const at = Math.max(0, places.findIndex(({ place }) => place === active.value))
  const text = places.map(({ token }) => token ?? '?').join(', ')
  return (
    <div class='token-row'>
      <div class='bar'>
        <Choose label='Tokens as' options={views} value={view.value} onChoose={next => { view.value = next }} />
        <CopyButton text={`[${text}]`} label='Copy tokens' />
      </div>
      {view.value === 'Text'
        ? <p class='token-text'>[{text}]</p>
        : (
          <div
            class={`tokens ${view.value === 'Tiles' && hasAtlas.value ? 'as-tiles' : 'as-numbers'}`}
            role='listbox'
            aria-label='Visual tokens'
            aria-orientation='horizontal'
            onKeyDown={moves(places.length, places.length, at, index => { active.value = places[index]?.place })}
            onPointerLeave={() => { active.value = undefined }}
          >
            {places.map(({ place, token }, index) => (
              <button
                key={index}
                type='button'
                role='option'
                data-cell
                data-token={place}
                class={`token ${active.value === place ? 'active' : ''}`}
                tabIndex={index === at ? 0 : -1}
                aria-selected={active.value === place}
                aria-label={(token === undefined ? 'Token not asked for yet' : `Token ${token}`) +
                  (isPlaced ? `, ${tellPlace(place, grid.value.columns)}` : '')}
                onFocus={() => { active.value = place }}
                onPointerEnter={() => { active.value = place }}
              >
                {view.value === 'Tiles' && hasAtlas.value && token !== undefined
                  ? <Tile token={token} />
                  : <span>{token ?? '?'}</span>}
              </button>
            ))}
          </div>
          )}
      {isPlaced && <Meaning place={places.find(({ place }) => place === active.value)} />}
    </div>
  )
}

/** What the marked token stands for. */
function Meaning ({ place }: { place: Place | undefined }) {
  if (!place) return <p class='meaning quiet'>Point at a patch or a token to see what it stands for.</p>
  const where = tellPlace(place.place, grid.value.columns)
  const code = place.token === undefined ? undefined : codeOf(place.token)
  if (place.token === undefined) return <p class='meaning'>Kept by this choice, {where}: ask for its token.</p>
  return (
    <p class='meaning'>
      {code && <Tile token={place.token} />}
      <span>
        <b class='number'>{place.token}</b>
        {code ? ` is content ${code.content} at ${where}` : `, ${where}`}
      </span>
    </p>
  )
}
