// The emoji that are no concept: art to learn style from, whose names nobody need learn.
import { matchAll } from './match.js'

const required = ['fluent-emoji-flat', 'noto', 'twemoji']
const alike = ['keycap', 'country-flag'] // groups whose drawings hardly differ from set to set, or from each other

export function otherEmoji (concepts) {
  const known = new Set(concepts.map(({ hex }) => hex))
  return matchAll().filter(({ hex, gendered, subgroup, sprites }) =>
    !known.has(hex) && !gendered && !alike.includes(subgroup) && required.every(set => sprites[set]))
}
