// Draws the pictures that the playground offers, scenes in the one style that the model paints in: node samples.js OUT_DIR
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { iconSvg, readSet } from './sets.js'

const size = 288
const style = 'fluent-emoji-flat'
const grounds = {
  red: '#d6302c', orange: '#f08c1e', yellow: '#f8de46', green: '#42a047', blue: '#3460d6', purple: '#883eb2',
  pink: '#f496be', brown: '#805434', gray: '#8c8c91', white: '#f8f8f8', black: '#18181a', teal: '#20a0a0'
}
const half = [['left', 0.27, 0.5], ['right', 0.73, 0.5]]
const above = [['top', 0.5, 0.27], ['bottom', 0.5, 0.73]]
const corners = [['top left', 0.27, 0.27], ['top right', 0.73, 0.27], ['bottom left', 0.27, 0.73], ['bottom right', 0.73, 0.73]]
const scenes = {
  fox: ['green', [['', 0.5, 0.5, 'fox']], 0.74],
  penguin: ['teal', above.map((at, i) => [...at, ['penguin', 'ice cream'][i]]), 0.46],
  apples: ['yellow', half.map(at => [...at, 'red apple']), 0.45],
  octopus: ['purple', half.map((at, i) => [...at, ['octopus', 'guitar'][i]]), 0.46],
  breakfast: ['white', corners.slice(0, 3).map((at, i) => [...at, ['hot beverage', 'croissant', 'egg'][i]]), 0.43],
  rocket: ['black', above.map((at, i) => [...at, ['rocket', 'full moon'][i]]), 0.47],
  cats: ['pink', corners.slice(0, 3).map(at => [...at, 'cat']), 0.42],
  mixed: ['blue', corners.map((at, i) => [...at, ['pizza', 'key', 'sunflower', 'bicycle'][i]]), 0.42],
  cactus: ['orange', [['', 0.5, 0.5, 'cactus']], 0.72]
}

const set = readSet(style)
const concepts = JSON.parse(readFileSync(new URL('concepts.json', import.meta.url), 'utf8'))

async function draw ([ground, things, share]) {
  const side = Math.round(size * share)
  const layers = things.map(([, x, y, label]) => {
    const concept = concepts.find(each => each.label === label)
    if (!concept?.sprites[style]) throw new Error(`there is no ${label}`)
    const at = centre => Math.round(centre * size - side / 2)
    return { input: Buffer.from(iconSvg(set, concept.sprites[style], side)), left: at(x), top: at(y) }
  })
  return await sharp({ create: { width: size, height: size, channels: 3, background: grounds[ground] } })
    .composite(layers).png({ palette: true, effort: 10 }).toBuffer()
}

const [out] = process.argv.slice(2)
mkdirSync(out, { recursive: true })
for (const [name, scene] of Object.entries(scenes)) await sharp(await draw(scene)).toFile(join(out, `${name}.png`))
