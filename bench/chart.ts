/** Bars as SVG: a panel for each job with its own scale, a bar for each load and server, whiskers for the spread. */
import type { Result } from './rounds.ts'
import { spreadOf } from './statistics.ts'
import { tellNumber } from './report.ts'

const colours = ['#2f6fb3', '#d9822b', '#3f9b62', '#a65fb0', '#7a7a7a', '#c24d4d', '#4fa7b5', '#98893b']
const [width, label, right, bar, gap] = [760, 150, 110, 16, 8]

/** Requests a second of the closed loops. */
export function chart (all: Result[]): string {
  const results = all.filter(({ setting }) => 'clients' in setting)
  const servers = [...new Set(results.map(({ server }) => server))]
  const titles = [...new Set(results.map(titleOf))]
  const parts: string[] = []
  let y = 24
  for (const title of titles) {
    const bars = results.filter(result => titleOf(result) === title)
    const most = Math.max(...bars.map(({ rounds }) => spreadOf(rounds.map(({ perSecond }) => perSecond)).most)) || 1
    parts.push(text(label, y, `${title}, requests a second`, 'font-weight="bold"'))
    y += 10
    let load = ''
    for (const result of bars) {
      const { setting } = result
      const name = 'clients' in setting ? `${setting.clients} at once` : `${setting.rate} a second`
      if (name !== load && load !== '' && servers.length > 1) y += gap
      if (name !== load) parts.push(text(label - 8, y + 12, name, 'text-anchor="end"'))
      load = name
      parts.push(drawBar(result, y, most, servers))
      y += bar + 2
    }
    y += 3 * gap + 8
  }
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ${style}>
<rect width="${width}" height="${y}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}

function drawBar ({ server, rounds }: Result, y: number, scale: number, servers: string[]): string {
  const { median, least, most } = spreadOf(rounds.map(({ perSecond }) => perSecond))
  const x = (value: number) => Math.round(label + (value / scale) * (width - label - right))
  const colour = colours[servers.indexOf(server) % colours.length]
  const name = servers.length > 1 ? ` ${server}` : ''
  return [
    `<rect x="${label}" y="${y}" width="${x(median) - label}" height="${bar}" fill="${colour}"/>`,
    `<path d="M${x(least)} ${y + bar / 2}H${x(most)}" stroke="#222"/>`,
    text(x(most) + 6, y + 12, tellNumber(median) + name)
  ].join('')
}

function titleOf ({ setting }: Result): string {
  return setting.kept === undefined ? setting.job : `${setting.job}, ${setting.kept} tokens a picture`
}

function text (x: number, y: number, content: string, more = ''): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;')
  return `<text x="${x}" y="${y}" ${more}>${escaped}</text>`
}
