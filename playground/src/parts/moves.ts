/** Arrow keys among cells that are elements. */
import { arrowTo } from '../pure/arrows.ts'

/** Calls back with the cell that an arrow key leads to, and puts the focus there. */
export function moves (count: number, columns: number, at: number, go: (index: number) => void) {
  return (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const next = arrowTo(event.key, at, count, columns)
    if (next === undefined) return
    event.preventDefault()
    go(next)
    const cells = event.currentTarget.querySelectorAll<HTMLElement>('[data-cell]')
    cells[next]?.focus()
  }
}
