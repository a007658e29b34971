// Turns the hand-kept words.txt into concepts.json: node concepts.js
// New words go to the end, for a concept's row is its index in the tables of a trained model.
import { readFileSync, writeFileSync } from 'node:fs'
import { matchAll } from './match.js'
import { sets } from './sets.js'

const required = ['fluent-emoji-flat', 'noto', 'twemoji', 'openmoji']

// Icons that match by name but show something else, or hardly anything.
const wrong = {
  'bow and arrow': ['fxemoji'],
  construction: ['fxemoji'],
  'desktop computer': ['fxemoji'],
  dolphin: ['fxemoji'],
  headphone: ['streamline-emojis'],
  keyboard: ['fxemoji'],
  laptop: ['fxemoji'],
  sunglasses: ['fxemoji'],
  tornado: ['fxemoji'],
  turkey: ['streamline-emojis']
}

function pluralOf (noun) {
  const [, head, tail] = noun.match(/^(.*?)( (?:of|with|on|in|and) .*)?$/)
  return head.replace(/(?:[sxz]|[cs]h)$/, '$&e').replace(/([^aeiou])y$/, '$1ie') + 's' + (tail ?? '')
}

function articleOf (noun) {
  return /^(?:[aeio]|u(?!ni|sb)|hour|x-)/.test(noun) && !/^(?:ewe|euro|one)/.test(noun) ? 'an' : 'a'
}

function readWords () {
  const text = readFileSync(new URL('words.txt', import.meta.url), 'utf8')
  return text.trim().split('\n').map(line => {
    const [names, synonyms, plural, article] = line.split('|').map(part => part.trim())
    const [name, label = name] = names.split(' = ')
    return { name, label, synonyms: synonyms.split(', '), plural: plural || pluralOf(label), article: article || articleOf(label) }
  })
}

function spritesOf (emoji) {
  const good = sets.filter(set => emoji.sprites[set] && !wrong[emoji.name]?.includes(set))
  return Object.fromEntries(good.map(set => [set, emoji.sprites[set]]))
}

function buildConcepts () {
  const emojis = new Map(matchAll().map(emoji => [emoji.label.toLowerCase().replaceAll('’', "'"), emoji]))
  return readWords().map(({ name, label, synonyms, plural, article }) => {
    if (!emojis.has(name)) throw new Error(`No emoji is called "${name}"`)
    const { hex, sprites } = emojis.get(name)
    const concept = { label, hex, synonyms, plural, article, sprites: spritesOf({ name, sprites }) }
    const missing = required.filter(set => !concept.sprites[set])
    if (missing.length) throw new Error(`"${label}" is missing from ${missing.join(', ')}`)
    return concept
  })
}

function checkNames (concepts) {
  const owners = new Map()
  for (const { label, synonyms, plural } of concepts) {
    if (label.split(' ').length > 3) throw new Error(`"${label}" is too long`)
    for (const name of new Set([label, plural, ...synonyms])) {
      if (owners.has(name)) throw new Error(`"${name}" names both "${owners.get(name)}" and "${label}"`)
      owners.set(name, label)
    }
  }
}

const concepts = buildConcepts()
checkNames(concepts)
writeFileSync(new URL('concepts.json', import.meta.url), '[\n' + concepts.map(concept => '  ' + JSON.stringify(concept)).join(',\n') + '\n]\n')
console.log(concepts.length, 'concepts')
for (const set of sets) console.log(set, concepts.filter(({ sprites }) => sprites[set]).length)
