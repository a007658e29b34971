/** One picture on its way: tokens at their places as they are drawn, previews, steps, and then the picture. */
import { useSignal } from '@preact/signals'
import { fromBase64 } from '../pure/base64.ts'
import { codeOf, hasAtlas, placesOf } from '../state/atlas.ts'
import { keepsRecipe, paintedFile, save } from '../state/files.ts'
import { addPart, painted, type Canvas } from '../state/painting.ts'
import { readPicture } from '../state/reading.ts'
import { grid, patches } from '../state/server.ts'
import { linkTo } from '../state/sharing.ts'
import { Check } from './check.tsx'
import { CopyButton } from './copy-button.tsx'
import { Tile } from './tile.tsx'
import { TokenEditor } from './token-editor.tsx'
import { TokenPicture } from './token-picture.tsx'
import { TokenRow } from './token-row.tsx'

type Props = { canvas: Canvas; index: number; isBusy: boolean }

export function CanvasView ({ canvas, index, isBusy }: Props) {
  return (
    <article class='canvas' aria-label={`Picture ${index + 1}`} aria-busy={isBusy}>
      {canvas.picture ? <Painted picture={canvas.picture} index={index} /> : <Arriving canvas={canvas} />}
    </article>
  )
}

function Arriving ({ canvas: { tokens, preview, step } }: { canvas: Canvas }) {
  const { columns } = grid.value
  const places = placesOf(tokens)
  return (
    <>
      <div class='board' style={{ '--columns': columns }} aria-hidden='true'>
        {preview && <img class='preview' src={preview} alt='' />}
        {hasAtlas.value && Array.from({ length: patches.value }, (_, place) => {
          const token = places.get(place)
          return <span key={place} class='square'>{token !== undefined && <Tile token={token} bare />}</span>
        })}
      </div>
      <p class='count small'>
        <b class='number'>{tokens.length}</b> tokens{step && `, step ${step.done} of ${step.of}`}
      </p>
    </>
  )
}

function Painted ({ picture, index }: { picture: NonNullable<Canvas['picture']>; index: number }) {
  const active = useSignal<number | undefined>(undefined)
  const place = useSignal(0)
  const showsPatches = useSignal(false)
  const { visual_tokens: tokens, seed, media_type: type, data } = picture
  const codes = placesOf(tokens)
  const isPlaced = codes.size > 0
  const mask = isPlaced ? Array.from({ length: patches.value }, (_, place) => codes.has(place)) : []
  const places = tokens.map((token, index) => ({ place: codeOf(token)?.place ?? index, token }))
  const call = painted.value?.call
  const read = () => readPicture(new Blob([fromBase64(data)], { type }), `painted-${seed}.png`)
  const keep = () => call && save(paintedFile(call, picture), `lavit-${seed}-${index + 1}.png`)
  return (
    <>
      <TokenPicture
        src={`data:${type};base64,${data}`} alt={`Painted picture ${index + 1}, seed ${seed}`} mask={mask} codes={codes}
        active={active} bare={!showsPatches.value} onPick={picked => { place.value = picked }}
      />
      <div class='bar'>
        <p class='count small'>
          <b class='number'>{tokens.length}</b> tokens, seed <span class='number'>{seed}</span>
        </p>
        {isPlaced && <Check label='Patches' checked={showsPatches} />}
      </div>
      <TokenRow places={places} active={active} isPlaced={isPlaced} />
      <div class='bar'>
        <button type='button' onClick={keep}>Save</button>
        <Check label='with its recipe' checked={keepsRecipe} />
        <CopyButton text={linkTo(tokens, seed)} label='Copy link' />
        <button type='button' class='plain' onClick={read}>Read it</button>
        <button type='button' class='plain' onClick={() => addPart({ type: 'visual_tokens', visual_tokens: tokens })}>
          Paint with it
        </button>
      </div>
      <TokenEditor tokens={tokens} seed={seed} place={place} key={data} />
    </>
  )
}
