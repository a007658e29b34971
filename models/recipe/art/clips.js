// Finds cut-out clip art for the concepts by its titles: node clips.js SHARE_DIR, writes clips.json
// SHARE_DIR holds `openclipart/`, as Debian's package unpacks it below usr/share.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'

const perConcept = 4 // of each collection

export const collections = {
  openclipart: { folder: 'openclipart/svg', skip: /buttons|logos|signs_and_symbols|special|geography|people/, title: titleOfDrawing }
}

// Titles that name a concept and pictures that show something else, or hardly anything.
const wrong = new Set(readFileSync(new URL('wrong-clips.txt', import.meta.url), 'utf8').trim().split('\n'))

function titleOfDrawing (file) {
  const svg = readFileSync(file, 'utf8')
  if (svg.length > 400_000 || svg.includes('<image')) return ''
  return svg.match(/<dc:title>([^<]{2,60})<\/dc:title>/)?.[1] ?? basename(file, '.svg')
}

function wordsOf (title) {
  return title.toLowerCase().replace(/['’]s\b/g, '').split(/[^a-z]+/).filter(word => word && !/^(?:an?|the|of|pair|icon|clip|art|clipart|svg|drawing)$/.test(word))
}

/** Names by their last word; a title shows a concept when it ends in one of its names. */
function indexNames (concepts) {
  const index = new Map()
  for (const { label, synonyms, plural } of concepts) {
    for (const name of [label, plural, ...synonyms]) {
      const words = wordsOf(name)
      const last = words.at(-1)
      if (last) index.set(last, [...(index.get(last) ?? []), { label, words }])
    }
  }
  return index
}

function conceptOf (title, index) {
  const words = wordsOf(title)
  if (words.length === 0 || words.length > 4) return
  const named = (index.get(words.at(-1)) ?? []).filter(({ words: name }) => name.every((word, i) => words[words.length - name.length + i] === word))
  return named.sort((a, b) => b.words.length - a.words.length)[0]?.label
}

function listFiles (folder) {
  return readdirSync(folder, { recursive: true }).filter(name => /\.(?:svg|png)$/.test(name)).sort()
}

export function findClips (share, concepts) {
  const index = indexNames(concepts)
  const clips = {}
  for (const [collection, { folder, skip, title }] of Object.entries(collections)) {
    const found = new Map()
    for (const file of listFiles(join(share, folder))) {
      const path = join(share, folder, file)
      if (skip.test(file) || wrong.has(relative(share, path))) continue
      const concept = conceptOf(title(path), index)
      if (!concept) continue
      const files = found.get(concept) ?? []
      if (files.every(other => basename(other) !== basename(file))) found.set(concept, [...files, relative(share, path)]) // some lie in two folders
    }
    for (const [concept, files] of found) (clips[concept] ??= {})[collection] = files.sort((a, b) => a.length - b.length).slice(0, perConcept)
  }
  return clips
}

if (process.argv[1] === import.meta.filename) {
  const concepts = JSON.parse(readFileSync(new URL('concepts.json', import.meta.url), 'utf8'))
  const clips = findClips(process.argv[2], concepts)
  writeFileSync(new URL('clips.json', import.meta.url), JSON.stringify(clips, null, 1) + '\n')
  for (const collection of Object.keys(collections)) {
    const lists = Object.values(clips).map(found => found[collection] ?? [])
    console.log(collection, lists.filter(list => list.length).length, 'concepts,', lists.flat().length, 'pictures')
  }
}
