/** Other tokens for a painted picture: at a place, or all of them as numbers, painted without the language model. */
import { useSignal, type Signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { Option } from '../pure/call.ts'
import { joinCode } from '../pure/codes.ts'
import { across, codeOf, contents, hasAtlas } from '../state/atlas.ts'
import { painted, paintTokens, tokensCall } from '../state/painting.ts'
import { grid } from '../state/server.ts'
import { Atlas } from './atlas.tsx'
import { Tile } from './tile.tsx'
import { tellPlace } from './token-picture.tsx'

/** `place` is the one that was pointed out on the picture. */
type Props = { tokens: number[]; seed: number; place: Signal<number> }

export function TokenEditor ({ tokens, seed, place }: Props) {
  const edited = useSignal(tokens)
  const text = useSignal(tokens.join(', '))
  const isWrong = useSignal(false)
  const change = (next: number[]) => {
    edited.value = next
    text.value = next.join(', ')
    isWrong.value = false
  }
  const type = (value: string) => {
    const next = value.split(/[\s,[\]]+/).filter(Boolean).map(Number)
    text.value = value
    isWrong.value = next.length === 0 || !next.every(token => Number.isInteger(token) && token >= 0)
    if (!isWrong.value) edited.value = next
  }
  const paint = () => paintTokens(tokensCall(edited.value, seed, others()))
  return (
    <details class='editor'>
      <summary>Edit tokens and paint again</summary>
      {hasAtlas.value && <PlaceEditor tokens={edited.value} place={place} onChange={change} />}
      <label class='field tall'>
        All tokens
        <textarea
          rows={4} value={text.value} spellcheck={false} aria-invalid={isWrong.value}
          onInput={event => type(event.currentTarget.value)}
        />
      </label>
      {isWrong.value && <p class='bad' role='alert'>Whole numbers with commas between them.</p>}
      <button type='button' class='strong' disabled={isWrong.value} onClick={paint}>Paint these tokens</button>
    </details>
  )
}

type PlaceProps = { tokens: number[]; place: Signal<number>; onChange: (tokens: number[]) => void }

/** One token at a place: another content, none, or a new one. */
function PlaceEditor ({ tokens, place, onChange }: PlaceProps) {
  const { rows, columns } = grid.value
  const token = tokens.find(each => codeOf(each)?.place === place.value)
  const put = (content: number) => onChange(
    [...without(tokens, place.value), joinCode({ content, place: place.value }, contents)].sort((a, b) => a - b)
  )
  const select = useRef<HTMLSelectElement>(null)
  const takeOut = () => {
    select.current?.focus()
    onChange(without(tokens, place.value))
  }
  return (
    <div class='place-editor'>
      <label class='field'>
        Place
        <select
          ref={select} value={place.value}
          onChange={event => { place.value = Number(event.currentTarget.value) }}
        >
          {Array.from({ length: rows * columns }, (_, at) => (
            <option key={at} value={at}>
              {tellPlace(at, columns)}{tokens.some(each => codeOf(each)?.place === at) ? ' ●' : ''}
            </option>
          ))}
        </select>
      </label>
      {token === undefined ? <span class='quiet'>no token here</span> : <Tile token={token} />}
      {token !== undefined && (
        <button type='button' disabled={tokens.length < 2} onClick={takeOut}>
          Take it out
        </button>
      )}
      <Atlas chosen={token === undefined ? undefined : codeOf(token)?.content} columns={across} onChoose={put} />
    </div>
  )
}

function without (tokens: number[], place: number) {
  return tokens.filter(token => codeOf(token)?.place !== place)
}

/** Steps and size as they were painted; the guidance of a prompt is another. */
function others (): Record<string, Option> {
  const { size, steps } = painted.value?.call.options ?? {}
  return { ...(size !== undefined && { size }), ...(steps !== undefined && { steps }) }
}
