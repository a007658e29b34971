/** The file of keys: what is taken, and how a wrong one is told without a value that it holds. */
import { join } from 'node:path'
import t from 'tap'
import { readKeys } from '../../src/config/keys.ts'
import { StartError } from '../../src/config/variables.ts'

const sha256 = 'a'.repeat(64)
const key = { name: 'reader', sha256, scopes: ['infer'] }

t.test('keys are read as they stand', async t => {
  const keys = [key, { name: 'all', sha256: 'b'.repeat(64), scopes: ['infer', 'metrics', 'admin'], rate: 60, share: 1 }]
  const folder = t.testdir({ 'keys.json': JSON.stringify(keys), 'none.json': '[]' })
  t.strictSame(readKeys(join(folder, 'keys.json')), keys)
  t.strictSame(readKeys(join(folder, 'none.json')), [])
})

t.test('a file that cannot be used is refused with one line that names it and what is wrong', async t => {
  const cases: [content: unknown, reason: RegExp][] = [
    ['[{"name": "x", secret', /it is not JSON$/],
    [{}, /the list of keys must be array$/],
    [[{ ...key, name: undefined }], /\/0 must have required properties name$/],
    [[{ ...key, name: 'two words' }], /\/0\/name must match pattern/],
    [[{ ...key, sha256: 'secret' }], /\/0\/sha256 must match pattern/],
    [[{ ...key, scopes: [] }], /\/0\/scopes must not have fewer than 1 items$/],
    [[{ ...key, scopes: ['write'] }], /\/0\/scopes\/0 must be equal to one of the allowed values$/],
    [[{ ...key, rate: 0 }], /\/0\/rate must be >= 1$/],
    [[{ ...key, share: 0 }], /\/0\/share must be > 0$/],
    [[{ ...key, share: 1.5 }], /\/0\/share must be <= 1$/],
    [[{ ...key, key: 'secret' }], /\/0\/key is no field of a key$/],
    [[key, { ...key, sha256: 'b'.repeat(64) }], /\/1\/name is that of another key, too$/],
    [[key, { ...key, name: 'other' }], /\/1\/sha256 is that of another key, too$/]
  ]
  for (const [i, [content, reason]] of cases.entries()) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const file = join(t.testdir({ [`${i}.json`]: text }), `${i}.json`)
    const error = refusal(file)
    t.match(error, { exitCode: 78 })
    t.ok(error?.message.startsWith(`LAVIT_KEYS_FILE=${JSON.stringify(file)} cannot be used: `), reason.source)
    t.match(error?.message, /^[^\n]+$/, 'one line')
    t.match(error?.message, reason)
    t.notMatch(error?.message, /secret/)
  }
  t.match(refusal('/nope/keys.json'), { message: /it cannot be read \(ENOENT\)$/, exitCode: 78 })
})

function refusal (file: string): StartError | undefined {
  try {
    readKeys(file)
  } catch (error) {
    if (error instanceof StartError) return error
    throw error
  }
}
