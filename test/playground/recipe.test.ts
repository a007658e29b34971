/** Recipes inside painted files: PNG files as sharp writes and reads them. */
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'
import { readText, removeText, writeText } from '../../playground/src/pure/png.ts'
import { keyword, readRecipe, recipeOf, withRecipe } from '../../playground/src/pure/recipe.ts'
import type { Call } from '../../playground/src/pure/call.ts'

const raw = { create: { width: 9, height: 7, channels: 3 as const, background: '#3060d0' } }
const png = new Uint8Array(await sharp(raw).png().toBuffer())
const model = { name: 'lavit-mini', version: '0.7.0', digest: 'ab'.repeat(32) }
const file = { file: 'fox.png', media_type: 'image/png', base64: 'AAAA' }
const call: Call = {
  route: 'generate',
  prompt: [{ type: 'image', image: file }, { type: 'text', text: 'on a grün background ✓' }],
  options: { seed: 7, n: 4, guidance_scale: 2.5 }
}

t.test('a recipe is read back, and the picture is the same', async t => {
  const recipe = recipeOf(call, { seed: 9, visual_tokens: [1, 2, 65535] }, model)
  const written = withRecipe(png, recipe)
  t.strictSame(readRecipe(written), recipe)
  t.strictSame(await sharp(written).raw().toBuffer(), await sharp(png).raw().toBuffer())
  t.strictSame(removeText(written, keyword), png, 'without it the bytes are those of the server')
  t.strictSame(withRecipe(written, recipe), written, 'written twice it stands there once')
})

t.test('picture 3 of 4 has the recipe of itself alone', async t => {
  const { call: alone } = recipeOf(call, { seed: 9, visual_tokens: [1] }, model)
  t.strictSame(alone, { ...call, options: { seed: 9, guidance_scale: 2.5 } })
})

t.test('a recipe that names many pictures is followed as one of one', async t => {
  const recipe = recipeOf(call, { seed: 9, visual_tokens: [1] }, model)
  const many = { ...recipe, call: { ...recipe.call, options: { ...recipe.call.options, n: 1e7 } } }
  t.strictSame(readRecipe(withRecipe(png, many)), recipe)
})

t.test('chunks are as the specification has them', async t => {
  const written = Buffer.from(writeText(png, 'key', 'text'))
  const at = written.indexOf('iTXt')
  const length = written.readUInt32BE(at - 4)
  t.equal(written.toString('latin1', at + 4, at + 4 + length), 'key\0\0\0\0\0text')
  t.equal(written.readUInt32BE(at + 4 + length), crc32(written.subarray(at, at + 4 + length)))
  t.equal(written.toString('latin1', at + 12 + length, at + 16 + length), 'IEND')
  t.equal(readText(new Uint8Array(written), 'other'), undefined)
  t.equal(readText(new Uint8Array(written), 'ke'), undefined)
})

t.test('what carries no recipe that can be followed has none', async t => {
  const jpeg = new Uint8Array(await sharp(raw).jpeg().toBuffer())
  const good = recipeOf(call, { seed: 9, visual_tokens: [1] }, model)
  const write = (value: object) => writeText(png, keyword, JSON.stringify({ format: 1, ...good, ...value }))
  t.ok(readRecipe(write({})))
  for (const bytes of [
    png,
    jpeg,
    new Uint8Array(),
    write({}).subarray(0, -30),
    writeText(png, keyword, 'no JSON'),
    writeText(png, keyword, 'null'),
    write({ format: 2 }),
    write({ model: 'lavit-mini' }),
    write({ call: { route: 'rm', options: {} } }),
    write({ call: { ...good.call, options: { seed: {} } } }),
    write({ call: { ...good.call, prompt: [{ type: 'image', image: 'x' }] } }),
    write({ visual_tokens: [-1] })
  ]) {
    t.equal(readRecipe(new Uint8Array(bytes)), undefined)
  }
  t.throws(() => writeText(jpeg, keyword, ''))
  t.strictSame(removeText(jpeg, keyword), jpeg)
})
