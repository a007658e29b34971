// Renders every concept of concepts.json in every set to straight-alpha RGBA: node render.js OUT_DIR --size 96 [--share SHARE_DIR]
// Emoji that are no concept come beside them, in OUT_DIR/others.
// With SHARE_DIR, where Debian's package is unpacked, the clip art of clips.json comes in as further sets.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { otherEmoji } from './others.js'
import { drawnBy, hands } from './hands.js'
import { manners, restyled } from './restyle.js'
import { heldOutSets, iconSvg, readSet, redrawnSets, restyledSets, trainSets } from './sets.js'

const clear = { r: 0, g: 0, b: 0, alpha: 0 }

export function npyHeader (shape) {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const body = Buffer.from(text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n')
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1')
  head.writeUInt16LE(body.length, 8)
  return Buffer.concat([head, body])
}

// Drawn large and trimmed first, so that the picture fills the square whatever margin its set leaves.
export async function renderSprite (picture, size) {
  const inner = Math.round(size * 0.96)
  const margin = Math.floor((size - inner) / 2)
  const trimmed = await sharp(picture, { density: 100 }).toColourspace('srgb').ensureAlpha().trim({ background: clear, threshold: 8 }).png().toBuffer()
  const { data, info } = await sharp(trimmed)
    .resize(inner, inner, { fit: 'contain', background: clear })
    .extend({ top: margin, left: margin, bottom: size - inner - margin, right: size - inner - margin, background: clear })
    .toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  if (info.channels !== 4 || data.length !== size * size * 4) throw new Error('not RGBA')
  return data
}

/** The sets as columns: a name, and the picture of a concept, if there is one. */
function iconColumn (name, size, manner) {
  const set = readSet(name)
  const changeOf = label => (body, width) => hands[manner]
    ? drawnBy(hands[manner], body, width, `${name} ${manner} ${label}`)
    : restyled(body, width, manners[manner])
  return {
    name: manner ? `${name} ${manner}` : name,
    picture: ({ label, sprites }) => sprites[name] && Buffer.from(iconSvg(set, sprites[name], size * 2, manner && changeOf(label)))
  }
}

function clipColumns (share) {
  const clips = JSON.parse(readFileSync(new URL('clips.json', import.meta.url), 'utf8'))
  const collections = new Set(Object.values(clips).flatMap(Object.keys))
  return [...collections].flatMap(name => {
    const columns = Math.max(...Object.values(clips).map(found => found[name]?.length ?? 0))
    return Array.from({ length: columns }, (_, i) => ({
      name: `${name} ${i + 1}`,
      picture: ({ label }) => clips[label]?.[name]?.[i] && join(share, clips[label][name][i])
    }))
  })
}

/** Every concept in every column, written as `sprites.npy` and `sprites.json`, with what `about` adds. */
async function writeSprites (out, concepts, columns, size, about) {
  const pixels = Buffer.alloc(concepts.length * columns.length * size * size * 4)
  const available = concepts.map(() => columns.map(() => false))
  for (const [column, { name, picture }] of columns.entries()) {
    for (const [row, concept] of concepts.entries()) {
      const source = picture(concept)
      if (!source) continue
      try {
        const sprite = await renderSprite(source, size)
        sprite.copy(pixels, (row * columns.length + column) * sprite.length)
        available[row][column] = true
      } catch (error) {
        console.warn(`${name}: ${concept.label}: ${error.message}`)
      }
    }
    console.log(name, available.filter(row => row[column]).length)
  }
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'sprites.npy'), Buffer.concat([npyHeader([concepts.length, columns.length, size, size, 4]), pixels]))
  writeFileSync(join(out, 'sprites.json'), JSON.stringify({ sets: columns.map(({ name }) => name), ...about, concepts: concepts.map(({ label }) => label), available }) + '\n')
}

async function main () {
  const { values, positionals: [out] } = parseArgs({ allowPositionals: true, options: { size: { type: 'string', default: '96' }, share: { type: 'string' } } })
  if (!out) throw new Error('Usage: node render.js OUT_DIR --size 96 [--share SHARE_DIR]')
  sharp.concurrency(1)
  const size = Number(values.size)
  const concepts = JSON.parse(readFileSync(new URL('concepts.json', import.meta.url), 'utf8'))
  const known = trainSets.map(name => iconColumn(name, size))
  const redrawn = [
    ...restyledSets.flatMap(name => Object.keys(manners).map(manner => iconColumn(name, size, manner))),
    ...redrawnSets.flatMap(name => Object.keys(hands).map(hand => iconColumn(name, size, hand)))
  ]
  const trained = [...known, ...redrawn, ...(values.share ? clipColumns(values.share) : [])]
  const heldOut = heldOutSets.map(name => iconColumn(name, size))
  await writeSprites(out, concepts, [...trained, ...heldOut], size, { train_sets: trained.length, restyled: redrawn.map(({ name }) => name) })
  await writeSprites(join(out, 'others'), otherEmoji(concepts), known, size, { train_sets: known.length, restyled: [] })
}

if (process.argv[1] === import.meta.filename) await main()
