// Known icons drawn in another manner: flat colours of a small box of paints within an outline, or lines alone.

const paints = ['#ffffff', '#c0c0c0', '#808080', '#404040', '#e03030', '#902020', '#ff8c20', '#b07840', '#603818', '#f5d6b0', '#ffd830', '#a0c830', '#309040', '#105030', '#20a0a0', '#80d0ff', '#3070e0', '#182880', '#8040b0', '#ffa0c0', '#e04090']
const opaque = /(?<!url\(|href=")#([0-9a-f]{3}|[0-9a-f]{6})\b/gi // and no name that reads like a colour

export const manners = { outlined: { share: 0.022, recolour: nearestPaint }, lines: { share: 0.03, recolour: paperOrInk } }

/** The drawing inside an SVG of this width in one of the manners. */
export function restyled (body, width, { share, recolour }) {
  return `<g stroke="#000" stroke-width="${width * share}" stroke-linejoin="round" stroke-linecap="round">${changeColours(body, recolour)}</g>`
}

/** The drawing in flat colours, each changed to another one. */
export function changeColours (body, change) {
  const changed = new Map()
  return withoutGradients(body).replace(opaque, colour => {
    if (!changed.has(colour)) changed.set(colour, change(colour))
    return changed.get(colour)
  })
}

/** Each gradient becomes the colour in its middle. */
function withoutGradients (body) {
  const middles = new Map()
  for (const [, id, stops] of body.matchAll(/<(?:linear|radial)Gradient[^>]*\bid="([^"]+)"[^>]*>([\s\S]*?)<\/(?:linear|radial)Gradient>/g)) {
    const colours = [...stops.matchAll(/stop-color="(#[0-9a-f]{3,6})"/gi)].map(([, colour]) => colour)
    if (colours.length > 0) middles.set(id, colours[Math.floor(colours.length / 2)])
  }
  return body.replace(/url\(#([^)]+)\)/g, (whole, id) => middles.get(id) ?? whole)
}

export function rgb (colour) {
  const hex = colour.length === 4 ? [...colour.slice(1)].map(digit => digit + digit).join('') : colour.slice(1)
  return [0, 2, 4].map(at => parseInt(hex.slice(at, at + 2), 16))
}

export function nearestPaint (colour) {
  const wanted = rgb(colour)
  const distance = paint => rgb(paint).reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0)
  return paints.reduce((best, paint) => distance(paint) < distance(best) ? paint : best)
}

export function paperOrInk (colour) {
  const [r, g, b] = rgb(colour)
  return 0.3 * r + 0.59 * g + 0.11 * b < 60 ? '#000' : '#fff'
}
