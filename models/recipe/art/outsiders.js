// Renders drawings of things that are no concept, to measure and teach unfamiliarity: node outsiders.js OUT_DIR --size 96
// Emoji beyond the concepts in every set that has them, and icons of sets that show other things. A name that shares a
// word with a concept's is left out, since its drawing may well show that concept.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { npyHeader, renderSprite } from './render.js'
import { iconSvg, outsideSets, readPackageJson, readSet } from './sets.js'

const perSet = 240

function wordsOf (text) {
  return text.toLowerCase().split(/[^a-z]+/).filter(word => word.length > 2)
}

/** Every n-th, so that the whole alphabet comes in. */
function spread (list, count) {
  return list.filter((_, i) => Math.floor(i * count / list.length) !== Math.floor((i - 1) * count / list.length))
}

function iconsOf (name, emoji, isStrange) {
  const set = readSet(name)
  const { aliases = {}, icons } = set
  const chars = readPackageJson(`@iconify-json/${name}/chars.json`, undefined)
  const names = emoji
    ? Object.entries(chars).filter(([hex]) => emoji.has(hex.toUpperCase().replaceAll('-FE0F', ''))).map(([, icon]) => icons[icon] ? icon : aliases[icon]?.parent)
    : Object.keys(icons).filter(isStrange)
  return spread(names.filter(icon => icons[icon]).sort(), perSet).map(icon => ({ name: icon, svg: iconSvg(set, icon, 192) }))
}

const { values: { size: sizeText }, positionals: [out] } = parseArgs({ allowPositionals: true, options: { size: { type: 'string', default: '96' } } })
if (!out) throw new Error('Usage: node outsiders.js OUT_DIR --size 96')
sharp.concurrency(1)
const size = Number(sizeText)
const concepts = JSON.parse(readFileSync(new URL('concepts.json', import.meta.url), 'utf8'))
const known = new Set(concepts.flatMap(({ label, synonyms, plural }) => [label, plural, ...synonyms].flatMap(wordsOf)))
const isStrange = name => wordsOf(name).every(word => !known.has(word))
const emoji = new Set(readPackageJson('emojibase-data/en/data.json').filter(({ label }) => isStrange(label)).map(({ hexcode }) => hexcode.replaceAll('-FE0F', '')))
const sprites = []
for (const { name, emoji: isEmoji, heldOut } of outsideSets) {
  const before = sprites.length
  for (const { name: icon, svg } of iconsOf(name, isEmoji && emoji, isStrange)) {
    try {
      sprites.push({ set: name, icon, held_out: heldOut, data: await renderSprite(Buffer.from(svg), size) })
    } catch (error) {
      console.warn(`${name}: ${icon}: ${error.message}`)
    }
  }
  console.log(name, sprites.length - before)
}
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'outsiders.npy'), Buffer.concat([npyHeader([sprites.length, size, size, 4]), ...sprites.map(({ data }) => data)]))
writeFileSync(join(out, 'outsiders.json'), JSON.stringify(sprites.map(({ data, ...about }) => about)) + '\n')
