/** All contents that a token can have, on one sheet to choose from. */
import { useSignal } from '@preact/signals'
import { arrowTo } from '../pure/arrows.ts'
import { contents, sheet } from '../state/atlas.ts'

type Props = { chosen: number | undefined; columns: number; onChoose: (content: number) => void }

/** One field for a number, and the sheet: arrow keys or the pointer move on it, Enter or a click chooses. */
export function Atlas ({ chosen, columns, onChoose }: Props) {
  const at = useSignal(chosen ?? 0)
  const rows = contents / columns
  const point = ({ offsetX, offsetY, currentTarget }: PointerEvent & { currentTarget: HTMLElement }) => {
    const [x, y] = [offsetX / currentTarget.clientWidth, offsetY / currentTarget.clientHeight]
    at.value = clamp(Math.floor(y * rows), rows) * columns + clamp(Math.floor(x * columns), columns)
  }
  return (
    <div class='atlas'>
      <button
        type='button' class='sheet' aria-label={`Contents: ${at.value}. Arrow keys move, Enter puts it there`}
        style={{ backgroundImage: `url(${sheet})` }}
        onPointerMove={point} onPointerDown={point} onClick={() => onChoose(at.value)}
        onKeyDown={event => {
          const next = arrowTo(event.key, at.value, contents, columns)
          if (next === undefined) return
          event.preventDefault()
          at.value = next
        }}
      >
        <span
          class='cursor'
          style={{
            left: `${(at.value % columns) * (100 / columns)}%`,
            top: `${Math.floor(at.value / columns) * (100 / rows)}%`,
            width: `${100 / columns}%`,
            height: `${100 / rows}%`
          }}
        />
      </button>
      <label class='field'>
        Content
        <input
          type='number' min={0} max={contents - 1} value={chosen ?? ''} placeholder={String(at.value)}
          onChange={({ currentTarget: { validity, value, valueAsNumber } }) => {
            if (value !== '' && validity.valid) onChoose(valueAsNumber)
          }}
        />
      </label>
    </div>
  )
}

function clamp (value: number, count: number) {
  return Math.min(count - 1, Math.max(0, value))
}
