/** What is kept of pictures that were seen: for its model and its owner alone, and within its bytes. */
import fc from 'fast-check'
import t from 'tap'
import { createEncodings, refOf } from '../../src/tasks/encodings.ts'
import { manifest } from '../fixtures/manifest.ts'

const encodingOf = (values: number) => ({
  features: new Float32Array(values - 1).fill(values),
  keepProbabilities: new Float32Array(1)
}) // four bytes a value
const home = { owner: 'a', manifest }
const graphs = { ...manifest.graphs, vision: { ...manifest.graphs.vision, sha256: 'other' } }
const others = [
  { owner: 'a', manifest: { ...manifest, graphs } },
  { owner: 'b', manifest },
  { owner: '', manifest }
]

t.test('an encoding is found by its model and its owner, and by no other', async t => {
  const encodings = createEncodings({ mostBytes: 100 })
  const encoding = encodingOf(3)
  encodings.keep('a', home, encoding)
  t.equal(encodings.find('a', home), encoding)
  for (const other of others) t.equal(encodings.find('a', other), undefined)
  t.equal(encodings.find('b', home), undefined)
})

t.test('a name stands for pixels, model and owner', async t => {
  const pixels = new Uint8Array([1, 2, 3])
  t.equal(refOf(pixels, home), refOf(pixels.slice(), home))
  t.match(refOf(pixels, home), /^img_[\w-]{32}$/)
  const names = [home, ...others].map(each => refOf(pixels, each))
  t.equal(new Set([...names, refOf(new Uint8Array([1, 2, 4]), home)]).size, 5)
})

t.test('bytes stay bounded, and what is gone is what was used longest ago', async t => {
  const step = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.integer({ min: 1, max: 30 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const encodings = createEncodings({ mostBytes: 100 })
      let expected: { name: string; bytes: number }[] = [] // the least recently used first
      for (const { name, size } of steps) {
        if (encodings.find(name, home)) {
          expected.push(...expected.splice(expected.findIndex(kept => kept.name === name), 1))
          continue
        }
        encodings.keep(name, home, encodingOf(size))
        if (size * 4 > 100) continue
        expected.push({ name, bytes: size * 4 })
        while (expected.reduce((sum, { bytes }) => sum + bytes, 0) > 100) expected = expected.slice(1)
      }
      for (const name of 'abcde') {
        if (encodings.holds(name) !== expected.some(kept => kept.name === name)) return false
      }
      return encodings.bytes() === expected.reduce((sum, { bytes }) => sum + bytes, 0)
    })
  )
})

t.test('what the language model was given of a picture counts as well', async t => {
  const encodings = createEncodings({ mostBytes: 100 })
  const merged = { keepMask: [true, false], embeddings: new Float32Array(20) }
  encodings.keep('a', home, { ...encodingOf(2), merged })
  t.equal(encodings.bytes(), 90)
  encodings.keep('a', home, { ...encodingOf(5), merged })
  t.notOk(encodings.find('a', home)?.features.length === 4, 'one that is too large is not kept')
})

t.test('nothing is kept where there is no memory for it', async t => {
  const encodings = createEncodings({ mostBytes: 0 })
  encodings.keep('a', home, encodingOf(1))
  t.notOk(encodings.isOn)
  t.notOk(encodings.holds('a'))
})
