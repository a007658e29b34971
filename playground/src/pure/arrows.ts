/** Moving through a grid or a row by arrow keys. */

/** The index that a key leads to from `at`, within `count` cells in rows of `columns`; nothing for other keys. */
export function arrowTo (key: string, at: number, count: number, columns: number): number | undefined {
  const column = at % columns
  const steps: Record<string, number | false> = {
    ArrowLeft: column > 0 && at - 1,
    ArrowRight: column < columns - 1 && at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: at - column,
    End: Math.min(count - 1, at - column + columns - 1)
  }
  const next = steps[key]
  if (next === undefined) return undefined
  return next === false || next < 0 || next >= count ? at : next
}
