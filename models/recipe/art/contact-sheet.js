// Draws concepts as rows and sets as columns on mid-grey: node contact-sheet.js OUT_DIR/sprites.npy out.png FIRST COUNT
import { readFileSync } from 'node:fs'
import sharp from 'sharp'

const [path, out, first = '0', count = '25'] = process.argv.slice(2)
const words = 150

function readNpy (path) {
  const file = readFileSync(path)
  const start = 10 + file.readUInt16LE(8)
  const shape = file.toString('latin1', 10, start).match(/\(([^)]*)\)/)[1].split(',').map(Number)
  return { shape, data: file.subarray(start) }
}

const { shape: [total, columns, size], data } = readNpy(path)
const { concepts } = JSON.parse(readFileSync(path.replace(/\.npy$/, '.json'), 'utf8'))
const from = Number(first)
const rows = Math.min(Number(count), total - from)
const length = size * size * 4
const sprites = Array.from({ length: rows * columns }, (_, i) => ({
  input: data.subarray((from * columns + i) * length, (from * columns + i + 1) * length),
  raw: { width: size, height: size, channels: 4 },
  left: words + (i % columns) * size,
  top: Math.floor(i / columns) * size
}))
const names = Array.from({ length: rows }, (_, i) => `<text x="4" y="${i * size + size / 2}" font-family="sans-serif" font-size="14">${from + i} ${concepts[from + i]}</text>`)
const width = words + columns * size
const height = rows * size
const text = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${names.join('')}</svg>`)
await sharp({ create: { width, height, channels: 4, background: '#888' } }).composite([{ input: text }, ...sprites]).png().toFile(out)
