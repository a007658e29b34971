// Renders every concept of concepts.json in every set to straight-alpha RGBA: node render.js OUT_DIR --size 96
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { iconSvg, readSet, sets, trainSets } from './sets.js'

const clear = { r: 0, g: 0, b: 0, alpha: 0 }

export function npyHeader (shape) {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const body = Buffer.from(text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n')
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1')
  head.writeUInt16LE(body.length, 8)
  return Buffer.concat([head, body])
}

// Drawn large and trimmed first, so that the picture fills the square whatever margin its set leaves.
async function renderIcon (svg, size) {
  const inner = Math.round(size * 0.96)
  const margin = Math.floor((size - inner) / 2)
  const trimmed = await sharp(Buffer.from(svg)).ensureAlpha().trim({ background: clear, threshold: 8 }).png().toBuffer()
  const { data, info } = await sharp(trimmed)
    .resize(inner, inner, { fit: 'contain', background: clear })
    .extend({ top: margin, left: margin, bottom: size - inner - margin, right: size - inner - margin, background: clear })
    .toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  if (info.channels !== 4 || data.length !== size * size * 4) throw new Error('not RGBA')
  return data
}

async function main () {
  const { values, positionals: [out] } = parseArgs({ allowPositionals: true, options: { size: { type: 'string', default: '96' } } })
  if (!out) throw new Error('Usage: node render.js OUT_DIR --size 96')
  sharp.concurrency(1)
  const size = Number(values.size)
  const concepts = JSON.parse(readFileSync(new URL('concepts.json', import.meta.url), 'utf8'))
  const pixels = Buffer.alloc(concepts.length * sets.length * size * size * 4)
  const available = concepts.map(() => sets.map(() => false))
  for (const [column, name] of sets.entries()) {
    const set = readSet(name)
    for (const [row, { label, sprites }] of concepts.entries()) {
      if (!sprites[name]) continue
      try {
        const sprite = await renderIcon(iconSvg(set, sprites[name], size * 2), size)
        sprite.copy(pixels, (row * sets.length + column) * sprite.length)
        available[row][column] = true
      } catch (error) {
        console.warn(`${name}: ${label}: ${error.message}`)
      }
    }
    console.log(name, available.filter(row => row[column]).length)
  }
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'sprites.npy'), Buffer.concat([npyHeader([concepts.length, sets.length, size, size, 4]), pixels]))
  writeFileSync(join(out, 'sprites.json'), JSON.stringify({ sets, train_sets: trainSets.length, concepts: concepts.map(({ label }) => label), available }) + '\n')
}

await main()
