import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  ServerError, errorCodes, errorFromCode, errorTable, invalidField, refusedField, withPointers
} from '../src/errors.ts'

const page = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8')

t.test('an error carries the status of its code, and what it is given beside', async t => {
  for (const code of errorCodes) {
    t.match(new ServerError(code, 'why'), { code, message: 'why', statusCode: errorTable[code].status }, code)
  }
  const cause = new Error('within')
  t.match(new ServerError('queue_full', 'why', { retryAfterSeconds: 3, cause }), { retryAfterSeconds: 3, cause })
  t.notMatch(Object.keys(new ServerError('queue_full', 'why')), ['errors'])
})

t.test('docs/api.md lists exactly the codes of the table', async t => {
  const table = page.slice(page.indexOf('<!-- errors -->'), page.indexOf('<!-- /errors -->'))
  const listed = [...table.matchAll(/^\| (\d+) \| `(\w+)`/gm)].map(([, status, code]) => `${status} ${code}`)
  t.strictSame(
    listed,
    Object.entries(errorTable).map(([code, { status }]) => `${status} ${code}`)
  )
})

t.test('errorFromCode rebuilds what crossed the pipe', async t => {
  t.match(errorFromCode('queue_full', '100 % full', 3), {
    code: 'queue_full',
    statusCode: 429,
    message: '100 % full',
    retryAfterSeconds: 3
  })
  t.match(errorFromCode('no_such_code', 'why'), { code: 'internal_error', statusCode: 500 })
  t.match(errorFromCode('toString', 'why'), { code: 'internal_error' })
})

t.test('invalidField and refusedField name the field by pointer', async t => {
  t.match(invalidField('/size', 'must be small'), {
    code: 'invalid_field',
    message: 'size must be small',
    errors: [{ pointer: '/size', message: 'must be small' }]
  })
  t.match(refusedField('/size', 'cannot be small'), {
    code: 'invalid_request',
    message: 'size cannot be small',
    errors: [{ pointer: '/size', message: 'cannot be small' }]
  })
})

t.test('withPointers names the fields as they stand elsewhere, and leaves other errors', async t => {
  t.match(withPointers(invalidField('/size', 'must be small'), pointer => `/request${pointer}`), {
    code: 'invalid_field',
    message: 'request/size must be small',
    errors: [{ pointer: '/request/size', message: 'must be small' }]
  })
  const other = new ServerError('queue_full', 'why', { retryAfterSeconds: 3 })
  t.equal(withPointers(other, () => '/x'), other)
})
