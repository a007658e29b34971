/** The little picture of what a code stands for. */
import { across, codeOf, contents, sheet } from '../state/atlas.ts'

const rows = contents / across

/** `bare` shows the patch alone, without the half patch around it. */
export function Tile ({ token, bare = false }: { token: number; bare?: boolean }) {
  const code = codeOf(token)
  if (!code) return null
  const [x, y] = [code.content % across, Math.floor(code.content / across)]
  // a tile is two patches wide, and a place in per cent counts the sheet without what is seen
  const at = (i: number, count: number) => (bare ? (2 * i + 0.5) / (2 * count - 1) : i / (count - 1)) * 100
  const scale = bare ? 2 : 1
  return (
    <span
      class='tile'
      aria-hidden='true'
      style={{
        backgroundImage: `url(${sheet})`,
        backgroundSize: `${across * scale * 100}% ${rows * scale * 100}%`,
        backgroundPosition: `${at(x, across)}% ${at(y, rows)}%`
      }}
    />
  )
}
