/** Links that carry a picture, codes and versions of models. */
import t from 'tap'
import { codesByPlace, joinCode, splitCode } from '../../playground/src/pure/codes.ts'
import { readLink, tellOther, writeLink } from '../../playground/src/pure/link.ts'
import { digestOf, sameTokens } from '../../playground/src/pure/model-name.ts'

const model = { name: 'lavit-mini', version: '0.7.0' }

t.test('a link is read back as it was written', async t => {
  for (const tokens of [[0], [65535, 0, 256, 255], Array.from({ length: 64 }, (_, i) => i * 1023)]) {
    t.strictSame(readLink(writeLink({ ...model, tokens, seed: 4_294_967_295 })), {
      ...model,
      tokens,
      seed: 4_294_967_295
    })
    t.strictSame(readLink(writeLink({ ...model, tokens })), { ...model, tokens })
  }
  const odd = { name: 'my model & co', version: '1.0.0-rc+1', tokens: [1] }
  t.strictSame(readLink(writeLink(odd)), odd)
})

t.test('tokens are 16 bits each, the higher byte first, in base64url', async t => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x01])
  t.match(writeLink({ ...model, tokens: [0xfffe, 1] }), `#tokens=${bytes.toString('base64url')}&`)
  const of64 = writeLink({ ...model, tokens: new Array<number>(64).fill(1) })
  t.equal(/tokens=([^&]*)/.exec(of64)?.[1]?.length, 171)
})

t.test('what is no link is none', async t => {
  for (const fragment of [
    '',
    '#read',
    '#tokens=AAE',
    '#tokens=AAE&model=lavit-mini',
    '#tokens=A*E&model=lavit-mini@0.7.0',
    '#tokens=&model=lavit-mini@0.7.0',
    '#tokens=AAEC&model=lavit-mini@0.7.0',
    `#tokens=${'A'.repeat(20_000)}&model=lavit-mini@0.7.0`
  ]) {
    t.equal(readLink(fragment), undefined, fragment.slice(0, 60))
  }
})

t.test('a picture of another model is told, one whose tokens mean the same is not', async t => {
  const shared = { ...model, tokens: [1] }
  t.equal(tellOther(shared, { name: 'lavit-mini', version: '0.7.4' }), undefined)
  t.match(tellOther(shared, { name: 'lavit-mini', version: '0.8.0' }), /0\.7\.0.*0\.8\.0/)
  t.match(tellOther(shared, { name: 'lavit-7b', version: '0.7.0' }), /lavit-7b/)
  t.ok(sameTokens({ name: 'a', version: '1.2.3' }, { name: 'a', version: '1.9.0' }))
  t.notOk(sameTokens({ name: 'a', version: '1.2.3' }, { name: 'a', version: '2.0.0' }))
})

t.test('one digest stands for all files of a model', async t => {
  const [one, two] = ['0f'.repeat(32), 'ff'.repeat(32)]
  t.equal(digestOf({ a: one }), one)
  t.equal(digestOf({ a: one, b: two }), 'f0'.repeat(32))
})

t.test('a code is a content at a place', async t => {
  t.strictSame(splitCode(10648, 1024), { content: 408, place: 10 })
  t.equal(joinCode({ content: 408, place: 10 }, 1024), 10648)
  t.strictSame([...codesByPlace([7, 9], [false, true, false, true])], [[1, 7], [3, 9]])
})
