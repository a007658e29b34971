// Matches every emoji of emojibase to an icon of each set, by code point or else by name: node match.js [out.json]
import { readdirSync, writeFileSync } from 'node:fs'
import { readPackageJson, readSet, sets } from './sets.js'

// Names that differ from every known name of the emoji, and icons whose name misleads.
const named = {
  'flat-color-icons': {
    'alarm clock': 'alarm-clock',
    'bar chart': 'bar-chart',
    battery: 'full-battery',
    'black nib': null,
    bookmark: 'bookmark',
    books: null,
    briefcase: 'briefcase',
    calculator: null,
    calendar: 'calendar',
    camera: 'camera',
    'clapper board': 'clapperboard',
    'desktop computer': null,
    factory: 'factory',
    'file cabinet': 'filing-cabinet',
    'file folder': 'folder',
    'film frames': 'film',
    'graduation cap': 'graduation-cap',
    headphone: 'headset',
    house: 'home',
    'house with garden': null,
    key: 'key',
    'light bulb': 'idea',
    link: 'link',
    locked: 'lock',
    'magnifying glass tilted left': 'search',
    megaphone: 'advertising',
    'mobile phone': 'touchscreen-smartphone',
    'money with wings': null,
    newspaper: 'news',
    package: 'package',
    'puzzle piece': 'puzzle',
    'straight ruler': 'ruler',
    telephone: 'phone',
    'video camera': 'camcorder-pro',
    wastebasket: 'full-trash'
  }
}

function plain (text) {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '')
}

function bare (hex) {
  return hex.toUpperCase().replaceAll('-FE0F', '')
}

function readShortcodes () {
  const folder = new URL('node_modules/emojibase-data/en/shortcodes/', import.meta.url)
  const all = {}
  for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
    for (const [hex, codes] of Object.entries(readPackageJson(`emojibase-data/en/shortcodes/${file}`))) {
      (all[hex] ??= []).push(...[codes].flat())
    }
  }
  return all
}

function indexSet (name) {
  const { icons, aliases = {} } = readSet(name)
  const resolve = icon => icons[icon] ? icon : aliases[icon] && icons[aliases[icon].parent] ? aliases[icon].parent : undefined
  const byName = new Map()
  for (const icon of [...Object.keys(icons), ...Object.keys(aliases)]) {
    const { rotate, hFlip, vFlip } = aliases[icon] ?? {}
    const key = plain(name === 'streamline-emojis' ? icon.replace(/-1$/, '') : icon)
    if (!rotate && !hFlip && !vFlip && resolve(icon) && !byName.has(key)) byName.set(key, resolve(icon))
  }
  const byCode = new Map()
  for (const [hex, icon] of Object.entries(readPackageJson(`@iconify-json/${name}/chars.json`, {}))) {
    if (resolve(icon)) byCode.set(bare(hex), resolve(icon))
  }
  return { byName, byCode }
}

function findIcon (set, { byName, byCode }, emoji, names) {
  const own = named[set]
  if (own) return own[emoji.label] ?? undefined
  if (byCode.has(bare(emoji.hexcode))) return byCode.get(bare(emoji.hexcode))
  const found = names.find(name => byName.has(name)) ?? names.map(name => name + 'face').find(name => byName.has(name))
  return found && byName.get(found)
}

export function matchAll () {
  const shortcodes = readShortcodes()
  const unicodeNames = readPackageJson('emojibase-data/meta/unicode-names.json', {})
  const { groups, subgroups } = readPackageJson('emojibase-data/meta/groups.json')
  const indexes = Object.fromEntries(sets.map(set => [set, indexSet(set)]))
  return readPackageJson('emojibase-data/en/data.json').filter(emoji => emoji.group !== undefined).map(emoji => {
    const names = [emoji.label, unicodeNames[emoji.hexcode] ?? emoji.label, ...(shortcodes[emoji.hexcode] ?? [])].map(plain)
    const sprites = {}
    for (const set of sets) {
      const icon = findIcon(set, indexes[set], emoji, names)
      if (icon) sprites[set] = icon
    }
    return { label: emoji.label, hex: emoji.hexcode, group: groups[emoji.group], subgroup: subgroups[emoji.subgroup], tags: emoji.tags ?? [], gendered: emoji.gender !== undefined, sprites }
  })
}

if (process.argv[1] === import.meta.filename) {
  const concepts = matchAll()
  writeFileSync(process.argv[2] ?? 'matches.json', JSON.stringify(concepts, null, 1) + '\n')
  for (const set of sets) console.log(set, concepts.filter(concept => concept.sprites[set]).length)
}
