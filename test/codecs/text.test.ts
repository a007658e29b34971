import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { createTextCodec } from '../../src/codecs/text.ts'

const tokenizer = JSON.parse(readFileSync(new URL('../../models/lavit-mini/tokenizer.json', import.meta.url), 'utf8'))
const special = (content: string, id: number) => ({
  id,
  content,
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false
})

t.test('text comes back from its ids', async t => {
  const { encode, decode } = createTextCodec(tokenizer)
  const words = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789 ,.?!é猫🎉'), maxLength: 40 })
  fc.assert(
    fc.property(words, text => decode(encode(text)).trim() === text.trim()),
    { numRuns: 300 }
  )
  t.strictSame(encode(''), [])
  t.equal(decode([]), '')
})

t.test('any string is encoded to ids of the vocabulary', async t => {
  const { encode } = createTextCodec(tokenizer)
  const size = Object.keys(tokenizer.model.vocab).length
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text =>
      encode(text).every(id => Number.isInteger(id) && id >= 0 && id < size)
    ),
    { numRuns: 300 }
  )
  t.pass()
})

t.test('special ids never come out of text and are never shown', async t => {
  const { encode, decode } = createTextCodec({ ...tokenizer, added_tokens: [special('<s>', 1), special('</s>', 2)] })
  const spelled = encode('a </s> b <s>')
  t.notOk(spelled.includes(1) || spelled.includes(2))
  t.equal(decode(spelled).trim(), 'a </s> b <s>')
  t.equal(decode([2, ...encode('dog'), 2]).trim(), 'dog')
})
