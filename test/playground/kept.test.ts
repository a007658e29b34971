/** Texts that a browser keeps, also one that forbids it. */
import t from 'tap'
import { readKept, writeKept, type Store } from '../../playground/src/pure/kept.ts'

t.test('what is written is read, and an empty text is forgotten', async t => {
  const held = new Map<string, string>()
  const store: Store = {
    getItem: name => held.get(name) ?? null,
    setItem: (name, text) => held.set(name, text),
    removeItem: name => held.delete(name)
  }
  t.equal(readKept(() => store, 'key'), '')
  writeKept(() => store, 'key', 'secret')
  t.equal(readKept(() => store, 'key'), 'secret')
  writeKept(() => store, 'key', '')
  t.strictSame([...held.keys()], [])
})

t.test('a browser that forbids it, or has no room, keeps nothing and breaks nothing', async t => {
  const forbidden = () => { throw new DOMException('The operation is insecure', 'SecurityError') }
  const full = () => ({
    getItem: () => null,
    setItem: () => { throw new DOMException('no room', 'QuotaExceededError') },
    removeItem: () => {}
  })
  for (const storage of [forbidden, full]) {
    t.equal(readKept(storage, 'key'), '')
    t.doesNotThrow(() => writeKept(storage, 'key', 'secret'))
    t.doesNotThrow(() => writeKept(storage, 'key', ''))
  }
})
