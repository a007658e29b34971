// Known icons as other hands might have drawn them: their parts moved, turned and stretched a little, small ones left
// out, in other paints, with or without outlines. The same words give the same drawing.
import seedrandom from 'seedrandom'
import { svgPathBbox } from 'svg-path-bbox'
import { parseSync, stringify } from 'svgson'
import { changeColours, nearestPaint, paperOrInk, rgb } from './restyle.js'

/** `moved`, `outline`: shares of the drawing's width; `turned`: degrees; `stretched`: share; `least`: share of the area
 * below which a part may be left out, at the odds `left`. */
export const hands = {
  loose: { moved: 0.02, turned: 8, stretched: 0.12, least: 0.02, left: 0.3, outline: 0.02, ink: () => '#000', recolour: nearestPaint },
  plain: { moved: 0.015, turned: 6, stretched: 0.15, least: 0.04, left: 0.7, recolour: (colour, random) => mixed(colour, pick(tones, random), 0.25) },
  thick: { moved: 0.03, turned: 12, stretched: 0.2, least: 0.03, left: 0.5, outline: 0.045, ink: random => pick(['#000', '#222244', '#442211', '#ffffff'], random), recolour: (colour, random) => mixed(colour, '#ffffff', 0.5 * random()) },
  ink: { moved: 0.025, turned: 10, stretched: 0.15, least: 0.01, left: 0.4, outline: 0.015, ink: () => '#000', recolour: paperOrInk }
}
const tones = ['#000000', '#ffffff', '#e03030', '#ff8c20', '#ffd830', '#309040', '#20a0a0', '#3070e0', '#8040b0', '#ffa0c0', '#b07840']
const hidden = new Set(['defs', 'clipPath', 'mask', 'symbol', 'filter', 'linearGradient', 'radialGradient'])
const whole = { size: 0.85, stretched: 0.15, sheared: 10 } // what happens to the drawing at large

function pick (list, random) {
  return list[Math.floor(random() * list.length)]
}

function mixed (colour, other, share) {
  const [one, two] = [rgb(colour), rgb(other)]
  return '#' + one.map((value, i) => Math.round(value * (1 - share) + two[i] * share).toString(16).padStart(2, '0')).join('')
}

/** Left, top, right and bottom of a shape in its own coordinates, if it is one. */
function boxOf ({ name, attributes: a }) {
  if (name === 'path' && a.d) return svgPathBbox(a.d)
  if (name === 'rect') return [+(a.x ?? 0), +(a.y ?? 0), +(a.x ?? 0) + +a.width, +(a.y ?? 0) + +a.height]
  if (name !== 'circle' && name !== 'ellipse') return undefined
  const [x, y, rx, ry] = [a.cx ?? 0, a.cy ?? 0, a.rx ?? a.r ?? 0, a.ry ?? a.r ?? 0].map(Number)
  return [x - rx, y - ry, x + rx, y + ry]
}

function around (x, y, change) {
  return `translate(${x} ${y}) ${change} translate(${-x} ${-y})`
}

function redrawn (node, width, hand, random) {
  const either = most => (2 * random() - 1) * most
  if (hidden.has(node.name)) return node
  const box = boxOf(node)
  if (!box) return { ...node, children: node.children.map(child => redrawn(child, width, hand, random)).filter(Boolean) }
  const [left, top, right, bottom] = box
  const share = (right - left) * (bottom - top) / width ** 2
  if (share < hand.least && random() < hand.left) return undefined
  // what covers most of the drawing stays in place, so that it does not fall apart
  const strength = share > 0.4 ? 0.5 : 1
  const change = `translate(${either(hand.moved * width)} ${either(hand.moved * width)}) rotate(${either(hand.turned * strength)}) scale(${1 + either(hand.stretched)} ${1 + either(hand.stretched)})`
  const moved = around((left + right) / 2, (top + bottom) / 2, change)
  return { ...node, attributes: { ...node.attributes, transform: `${node.attributes.transform ?? ''} ${moved}`.trim() } }
}

/** The drawing inside an SVG of this width, by one of the hands. */
export function drawnBy (hand, body, width, words) {
  const random = seedrandom(words)
  const flat = changeColours(body, colour => hand.recolour(colour, random))
  const parts = parseSync(`<svg>${flat}</svg>`).children.map(part => redrawn(part, width, hand, random)).filter(Boolean)
  const either = most => (2 * random() - 1) * most
  const change = `skewX(${either(whole.sheared)}) scale(${whole.size * (1 + either(whole.stretched))} ${whole.size * (1 + either(whole.stretched))})`
  const line = hand.outline ? { stroke: hand.ink(random), 'stroke-width': width * hand.outline, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' } : {}
  return stringify({ type: 'element', name: 'g', value: '', attributes: { ...line, transform: around(width / 2, width / 2, change) }, children: parts })
}
