import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorFromCode, errorTable, invalidField, isServerError } from '../src/errors.ts'
import * as errors from '../src/errors.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

t.test('each class carries the code and the status of the table', async t => {
  const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error') && /^[A-Z]/.test(name))
  t.equal(classes.length, errorTable.size)
  for (const [name, Class] of classes) {
    const error = new (Class as typeof errors.InternalError)('why')
    t.match(error, { message: 'why', statusCode: errorTable.get(error.code)!.status }, name)
    t.ok(isServerError(error), name)
  }
})

t.test('the README lists exactly the codes of the table', async t => {
  const table = readme.slice(readme.indexOf('<!-- errors -->'), readme.indexOf('<!-- /errors -->'))
  const listed = [...table.matchAll(/^\| (\d+) \| `(\w+)`/gm)].map(([, status, code]) => `${status} ${code}`)
  t.strictSame(listed, [...errorTable].map(([code, { status }]) => `${status} ${code}`))
})

t.test('errorFromCode rebuilds what crossed the pipe', async t => {
  t.match(errorFromCode('queue_full', '100 % full', 3), { code: 'queue_full', statusCode: 429, message: '100 % full', retryAfterSeconds: 3 })
  t.match(errorFromCode('no_such_code', 'why'), { code: 'internal_error', statusCode: 500 })
  t.match(errorFromCode('toString', 'why'), { code: 'internal_error' })
})

t.test('invalidField names the field by pointer', async t => {
  t.match(invalidField('/size', 'must be small'), { code: 'invalid_field', message: 'size must be small', errors: [{ pointer: '/size', message: 'must be small' }] })
})

t.test('foreign errors are not of the table', async t => {
  t.notOk(isServerError(new Error('x')))
  t.notOk(isServerError({ code: 'queue_full' }))
})
