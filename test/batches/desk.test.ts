// covers: src/plugins/behalf.ts
/** Files and batches beside keys, queues and full disks, on a fake model. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDesk, type Desk, type DeskOptions } from '../../src/batches/desk.ts'
import { createRecord } from '../../src/batches/record.ts'
import { markOfProcess } from '../../src/bulk/process.ts'
import { ServerError } from '../../src/errors.ts'
import { answerWork, base64, buildTestApp, form } from '../helper.ts'

const secretOf = (name: string) => `secret-of-${name}`
const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` })
const keyOf = (name: string, more: object = {}) => ({
  name,
  sha256: createHash('sha256').update(secretOf(name)).digest('hex'),
  scopes: ['infer'],
  ...more
})
const caption = (id: string, body: object = {}) => ({
  custom_id: id,
  method: 'POST',
  url: '/caption',
  body: { image: base64, seed: 1, ...body }
})
const textOf = (lines: object[]) => lines.map(line => JSON.stringify(line) + '\n').join('')

type App = Awaited<ReturnType<typeof buildTestApp>>

async function send (app: App, text: string, headers = {}, fields: [string, string][] = []) {
  const sent = form([['purpose', 'batch'], ...fields, ['file', text]])
  const { payload } = sent
  return app.inject({ method: 'POST', url: '/v1/files', payload, headers: { ...sent.headers, ...headers } })
}

async function begin (app: App, lines: object[], headers = {}, window = '24h'): Promise<string> {
  const file = (await send(app, textOf(lines), headers)).json()
  const payload = { input_file_id: file.id, endpoint: '/caption', completion_window: window }
  const answer = await app.inject({ method: 'POST', url: '/v1/batches', payload, headers })
  return answer.json().id
}

async function untilEnded (app: App, id: string, headers = {}) {
  for (;;) {
    const batch = (await app.inject({ url: `/v1/batches/${id}`, headers })).json()
    if (/^(completed|failed|expired|cancelled)$/.test(batch.status)) return batch
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function rowsOf (app: App, id: string, headers = {}) {
  const { body } = await app.inject({ url: `/v1/files/${id}/content`, headers })
  return body.trim().split('\n').map(row => JSON.parse(row))
}

t.test('without a folder every route says so, as OpenAI tells errors', async t => {
  const app = await buildTestApp(t)
  const payload = { input_file_id: 'file-1', endpoint: '/caption', completion_window: '24h' }
  const answers = [
    await send(app, 'x'),
    ...(await Promise.all(['files', 'files/1', 'files/1/content', 'batches', 'batches/1'].map(
      path => app.inject(`/v1/${path}`)
    ))),
    await app.inject({ method: 'DELETE', url: '/v1/files/1' }),
    await app.inject({ method: 'POST', url: '/v1/batches', payload }),
    await app.inject({ method: 'POST', url: '/v1/batches/1/cancel' })
  ]
  for (const answer of answers) {
    t.equal(answer.statusCode, 403)
    t.match(answer.json(), { code: 'forbidden', error: { type: 'permission_error', message: /LAVIT_BATCH_DIR/ } })
  }
})

t.test("nothing of one key is there for another, and a batch has its key's name and share", async t => {
  const folder = t.testdir({ keys: JSON.stringify([keyOf('a', { rate: 20 }), keyOf('b')]) })
  const environment = { LAVIT_BATCH_DIR: join(folder, 'batches'), LAVIT_KEYS_FILE: join(folder, 'keys') }
  const app = await buildTestApp(t, { environment })
  const id = await begin(app, Array.from({ length: 30 }, (_, i) => caption(`${i}`)), bearer('a'))
  while (app.desk().batches.find('a', id)?.status !== 'completed') await new Promise(resolve => setTimeout(resolve, 5))
  const batch = (await app.inject({ url: `/v1/batches/${id}`, headers: bearer('a') })).json()
  t.match(batch, { status: 'completed', request_counts: { completed: 30 } }, 'lines take nothing of the rate')
  t.ok(app.seen.options.every(({ client, isBulk }) => client === 'a' && isBulk), 'all yield')
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, name: string) =>
    app.inject({ method, url, headers: bearer(name) })
  for (const file of [batch.input_file_id, batch.output_file_id]) {
    t.match((await ask('GET', `/v1/files/${file}`, 'b')).json(), { status: 404, code: 'file_not_found' })
    t.equal((await ask('GET', `/v1/files/${file}/content`, 'b')).statusCode, 404)
    t.equal((await ask('DELETE', `/v1/files/${file}`, 'b')).statusCode, 404)
    t.equal((await ask('GET', `/v1/files/${file}`, 'a')).statusCode, 200)
  }
  t.match((await ask('GET', `/v1/batches/${id}`, 'b')).json(), { code: 'batch_not_found' })
  t.equal((await ask('POST', `/v1/batches/${id}/cancel`, 'b')).statusCode, 404)
  t.strictSame((await ask('GET', '/v1/batches', 'b')).json().data, [])
  t.strictSame((await ask('GET', '/v1/files', 'b')).json().data, [])
  const payload = { input_file_id: batch.input_file_id, endpoint: '/caption', completion_window: '24h' }
  const stolen = await app.inject({ method: 'POST', url: '/v1/batches', payload, headers: bearer('b') })
  t.match(stolen.json(), { status: 422, errors: [{ pointer: '/input_file_id' }] })
})

t.test('the lines of a key that is taken away are refused', async t => {
  const folder = t.testdir({ keys: JSON.stringify([keyOf('a')]) })
  const environment = { LAVIT_BATCH_DIR: join(folder, 'batches'), LAVIT_KEYS_FILE: join(folder, 'keys') }
  let finish = () => {}
  const held = new Promise<void>(resolve => {
    finish = resolve
  })
  const first = await buildTestApp(t, {
    environment: { ...environment, LAVIT_BATCH_IN_FLIGHT: '1' },
    async submit (work, options) {
      await held
      return answerWork(work, options)
    }
  })
  const id = await begin(first, [caption('1'), caption('2'), caption('3')], bearer('a'))
  while (first.seen.works.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  const closed = first.close()
  finish()
  await closed
  writeFileSync(join(folder, 'keys'), JSON.stringify([keyOf('b')]))
  const second = await buildTestApp(t, { environment })
  await second.ready()
  while (second.desk().batches.find('a', id)?.status !== 'completed') {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  t.match(second.desk().batches.find('a', id)?.request_counts, { total: 3, completed: 1, failed: 2 })
  t.equal(second.seen.works.length, 0)
})

t.test('what is refused for now is asked again, and what is wrong is a row', async t => {
  let tries = 0
  const app = await buildTestApp(t, {
    environment: { LAVIT_BATCH_DIR: t.testdir() },
    async submit (work, options) {
      if (++tries <= 2) throw new ServerError('queue_full', 'full', { retryAfterSeconds: 0.01 })
      if (tries <= 3) throw new ServerError('engine_restarting', 'ended', { retryAfterSeconds: 0.01 })
      return answerWork(work, options)
    }
  })
  const id = await begin(app, [caption('a'), caption('b', { nonsense: 1 })])
  const batch = await untilEnded(app, id)
  t.equal(tries, 4)
  t.match((await rowsOf(app, batch.output_file_id))[0], { custom_id: 'a', response: { status_code: 200 } })
  const [row] = await rowsOf(app, batch.error_file_id)
  t.match(row, { custom_id: 'b', response: { status_code: 422, body: { code: 'invalid_field', request_id: row.id } } })
  const { body: metrics } = await app.inject('/metrics')
  t.match(metrics, 'lavit_bulk_items_total{route="/caption",status="completed"} 1')
  t.match(metrics, 'lavit_bulk_items_total{route="/caption",status="failed"} 1')
  t.notMatch(metrics, 'lavit_errors_total{code="queue_full"}', 'lines are no requests')
})

t.test('lines that end early are rows, and nobody who gave up', async t => {
  const app = await buildTestApp(t, {
    environment: { LAVIT_BATCH_DIR: t.testdir() },
    submit: async () => await new Promise<never>(() => {})
  })
  const batch = await untilEnded(app, await begin(app, [caption('a', { deadline_ms: 20 })]))
  t.match((await rowsOf(app, batch.error_file_id))[0], { response: { body: { code: 'deadline_exceeded' } } })
  t.notMatch((await app.inject('/metrics')).body, 'lavit_cancelled_total{')
})

t.test('lines in flight are bounded over all batches', async t => {
  let most = 0
  let inFlight = 0
  const app = await buildTestApp(t, {
    environment: { LAVIT_BATCH_DIR: t.testdir(), LAVIT_BATCH_IN_FLIGHT: '3' },
    async submit (work, options) {
      most = Math.max(most, ++inFlight)
      await new Promise(resolve => setTimeout(resolve, 5))
      inFlight--
      return answerWork(work, options)
    }
  })
  const ids = [
    await begin(app, Array.from({ length: 20 }, (_, i) => caption(`${i}`))),
    await begin(app, Array.from({ length: 20 }, (_, i) => caption(`${i}`)))
  ]
  for (const id of ids) t.match(await untilEnded(app, id), { status: 'completed', request_counts: { completed: 20 } })
  t.ok(most > 1 && most <= 3, `${most}`)
})

const limits = {
  mostFileBytes: 1e6, mostLines: 10, mostLineBytes: 1e5, mostBytes: 1e9, share: 1, keepSeconds: 7200, inFlight: 1
}

/** A desk without a server. */
function openAlone (t: Test, path: string, more: Partial<DeskOptions> = {}) {
  const desk = openDesk({
    path,
    limits,
    log: { info () {}, warn () {} },
    onLine: () => {},
    ask: async () => ({ status: 200, wasBegun: true, body: '{}' }),
    ...more
  })
  t.teardown(() => desk.close())
  return desk
}

async function addFile ({ files }: ReturnType<Desk['get']>, lines: object[]) {
  async function * content () {
    yield Buffer.from(textOf(lines))
  }
  const received = await files.receive('', content())
  return files.add(received, { owner: '', filename: 'a', purpose: 'batch', keepSeconds: 7200 })
}

async function beginAlone (open: ReturnType<Desk['get']>, count: number) {
  const file = await addFile(open, Array.from({ length: count }, (_, i) => caption(`${i}`)))
  const asked = { input_file_id: file.id, endpoint: '/caption', completion_window: '1h' } as const
  return (await open.batches.create(asked, { owner: '', client: '' })).id
}

async function until (check: () => boolean) {
  while (!check()) await new Promise(resolve => setTimeout(resolve, 5))
}

t.test('what cannot be removed ends nothing, and is tried again', async t => {
  let time = Date.now()
  const path = t.testdir()
  const warned: object[] = []
  const log = { info () {}, warn: (details: object) => warned.push(details) }
  const desk = openAlone(t, path, { now: () => time, log })
  const open = desk.get()
  const [stuck] = [await addFile(open, []), await addFile(open, [])]
  const content = join(path, 'files', `${stuck.id}.jsonl`)
  rmSync(content)
  mkdirSync(content)
  time += 8_000_000
  desk.sweep()
  t.strictSame(open.files.list('').map(({ id }) => id), [stuck.id])
  t.match(warned, [{ err: Error, count: 1 }])
  rmdirSync(content)
  desk.sweep()
  t.strictSame(open.files.list(''), [])
})

t.test('a folder that another server took is taken again when that one has ended', async t => {
  const path = t.testdir()
  let answer = () => {}
  let asked = 0
  const desk = openAlone(t, path, {
    ask: () => new Promise(resolve => {
      answer = () => resolve({ status: 200, wasBegun: true, body: `{"try":${++asked}}` })
    })
  })
  const id = await beginAlone(desk.get(), 2)
  const other = join(path, 'leases/server.1')
  const holder = { ...markOfProcess(), pid: process.ppid, start: undefined, token: 'x', deaths: 0 }
  writeFileSync(other, JSON.stringify(holder))
  const isHeld = () => {
    try {
      return desk.get() !== undefined
    } catch {
      return false
    }
  }
  await until(() => !isHeld())
  writeFileSync(other, JSON.stringify({ ...holder, isFree: true }))
  await new Promise(resolve => setTimeout(resolve, 700))
  t.notOk(isHeld(), 'what was begun before is still at work')
  answer()
  await until(isHeld)
  while (desk.get().batches.find('', id)?.status !== 'completed') {
    answer()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  t.match(desk.get().batches.find('', id)?.request_counts, { total: 2, completed: 2, failed: 0 })
})

t.test('a batch whose expiry was being written when the server died has expired', async t => {
  const asked = { input_file_id: 'a', endpoint: '/caption', completion_window: '1h' } as const
  const record = createRecord(asked, { owner: '', client: '' }, Date.now() - 3_700_000)
  const { id } = record.batch
  Object.assign(record.batch, { status: 'in_progress', request_counts: { total: 3, completed: 1, failed: 0 } })
  const folder = t.testdir({
    batches: {
      [id]: {
        'batch.json': JSON.stringify({ ...record, hasExpired: true }),
        'input.jsonl': textOf(['1', '2', '3'].map(id => caption(id))),
        'done.jsonl': '+{"a":1}\n-{"b":2}\n'
      }
    }
  })
  const { batches } = openAlone(t, folder).get()
  await until(() => /^(expired|completed)$/.test(batches.find('', id)?.status ?? ''))
  t.match(batches.find('', id), { status: 'expired', request_counts: { total: 3, completed: 1, failed: 2 } })
})

t.test('a cancel that cannot be written cancels all the same', async t => {
  const path = t.testdir()
  let stopped = () => {}
  let asked = 0
  const desk = openAlone(t, path, {
    ask: () => new Promise(resolve => {
      asked++
      stopped = () => resolve({ status: 200, wasBegun: true, body: '{}' })
    })
  })
  const { batches } = desk.get()
  const id = await beginAlone(desk.get(), 3)
  await until(() => asked > 0) // the state is told before it is written, and before a line is asked
  rmSync(join(path, 'incoming'), { recursive: true })
  await t.rejects(batches.cancel('', id), { code: 'ENOENT' })
  mkdirSync(join(path, 'incoming'))
  stopped()
  await until(() => batches.find('', id)?.status === 'cancelled')
  t.match(batches.find('', id)?.request_counts, { completed: 1 })
})

t.test('a batch that expires while its file is looked at has all of its lines', async t => {
  let time = Date.now()
  const desk = openAlone(t, t.testdir(), { limits: { ...limits, mostLines: 1000 }, now: () => time })
  const { batches } = desk.get()
  const id = await beginAlone(desk.get(), 1000)
  t.equal(batches.find('', id)?.status, 'validating')
  time += 7_200_000
  desk.sweep()
  await until(() => /^(expired|failed)$/.test(batches.find('', id)?.status ?? ''))
  const batch = batches.find('', id)
  t.match(batch, { status: 'expired', errors: null, request_counts: { total: 1000, completed: 0, failed: 1000 } })
})

/**
 * A desk whose batch of six lines is at work: the first waits for its next try, the last for `finish`, the others have
 * their answers.
 */
async function openAtWork (t: Test, path: string) {
  let time = Date.now()
  let asked = 0
  let finish = () => {}
  const warned: object[] = []
  const desk = openAlone(t, path, {
    limits: { ...limits, inFlight: 6 },
    now: () => time,
    log: { info () {}, warn: (details: object) => warned.push(details) },
    async ask () {
      const number = asked++
      if (number === 0) return { status: 429, wasBegun: false, retryAfterSeconds: 60, body: '{}' }
      if (number === 5) {
        await new Promise<void>(resolve => {
          finish = resolve
        })
      }
      return { status: 200, wasBegun: true, body: '{}' }
    }
  })
  const { files, batches } = desk.get()
  const id = await beginAlone(desk.get(), 6)
  await until(() => asked === 6)
  return {
    id,
    desk,
    batches,
    warned,
    finish: () => finish(),
    expire () {
      time += 7_200_000
      desk.sweep()
    },
    async untilIts (status: string) {
      await until(() => batches.find('', id)?.status === status)
      return batches.find('', id)
    },
    read: (id: string | null | undefined) => namesOf(files, id)
  }
}

/** Of the lines that a file of results tells of. */
async function namesOf (files: ReturnType<Desk['get']>['files'], id: string | null | undefined): Promise<string[]> {
  const text = Buffer.concat(await files.read(id ?? '').toArray()).toString()
  return text.trim().split('\n').map(row => JSON.parse(row).custom_id)
}

t.test('a cancel leaves out the line that waits for its next try, and none behind it', async t => {
  const { id, batches, finish, untilIts, read } = await openAtWork(t, t.testdir())
  await batches.cancel('', id)
  finish()
  const batch = await untilIts('cancelled')
  t.match(batch, { request_counts: { total: 6, completed: 5, failed: 0 }, error_file_id: null })
  t.strictSame(await read(batch?.output_file_id), ['1', '2', '3', '4', '5'])
})

t.test('a line that waits for its next try expires, and none behind it', async t => {
  const { expire, finish, untilIts, read } = await openAtWork(t, t.testdir())
  expire()
  finish()
  const batch = await untilIts('expired')
  t.match(batch, { request_counts: { total: 6, completed: 5, failed: 1 } })
  t.strictSame(await read(batch?.output_file_id), ['1', '2', '3', '4', '5'])
  t.strictSame(await read(batch?.error_file_id), ['0'])
})

t.test('a server that dies while an expired batch waits for its last lines goes on with its end', async t => {
  const parts = t.testdir({ living: {}, dead: {} })
  const { id, expire, finish, untilIts } = await openAtWork(t, join(parts, 'living'))
  const journal = join(parts, 'living/batches', id, 'done.jsonl')
  expire()
  await until(() => readFileSync(journal, 'utf8').split('\n').length > 5)
  cpSync(join(parts, 'living'), join(parts, 'dead'), { recursive: true })
  rmSync(join(parts, 'dead/leases'), { recursive: true })
  const { files, batches } = openAlone(t, join(parts, 'dead')).get()
  await until(() => /^(expired|completed)$/.test(batches.find('', id)?.status ?? ''))
  const batch = batches.find('', id)
  t.match(batch, { status: 'expired', request_counts: { total: 6, completed: 4, failed: 2 } })
  t.strictSame(await namesOf(files, batch?.output_file_id), ['1', '2', '3', '4'])
  t.strictSame(await namesOf(files, batch?.error_file_id), ['0', '5'])
  finish()
  await untilIts('expired')
})

t.test('a cancel that no restart knows of leaves no gap for it to go on behind', async t => {
  const path = t.testdir()
  const { id, desk, batches, warned, finish } = await openAtWork(t, path)
  rmSync(join(path, 'incoming'), { recursive: true })
  await t.rejects(batches.cancel('', id), { code: 'ENOENT' })
  finish()
  await until(() => warned.length > 0)
  await desk.close()
  const next = openAlone(t, path).get()
  await until(() => next.batches.find('', id)?.status === 'completed')
  const names = await namesOf(next.files, next.batches.find('', id)?.output_file_id)
  t.strictSame(names, ['0', '1', '2', '3', '4', '5'])
})

t.test('what is not done in time expires, and is told line by line', async t => {
  let time = Date.now()
  const path = t.testdir()
  const told: string[] = []
  const desk = openDesk({
    path,
    limits,
    log: { info () {}, warn () {} },
    now: () => time,
    onLine: () => {},
    async ask ({ id }) {
      told.push(id)
      if (told.length > 1) {
        time += 3_600_000
        desk.sweep()
      }
      return { status: 200, wasBegun: true, body: '{}' }
    }
  })
  t.teardown(() => desk.close())
  const { files, batches } = desk.get()
  async function * content () {
    yield Buffer.from(textOf(['1', '2', '3', '4'].map(id => caption(id))))
  }
  const received = await files.receive('', content())
  const file = await files.add(received, { owner: '', filename: 'a', purpose: 'batch', keepSeconds: 7200 })
  const asked = { input_file_id: file.id, endpoint: '/caption', completion_window: '1h' } as const
  const { id } = await batches.create(asked, { owner: '', client: '' })
  while (batches.find('', id)?.status !== 'expired') await new Promise(resolve => setTimeout(resolve, 5))
  const batch = batches.find('', id)
  t.match(batch, { expired_at: Number, request_counts: { total: 4, completed: 2, failed: 2 } })
  const read = async (id: string | null | undefined) =>
    Buffer.concat(await files.read(id ?? '').toArray()).toString().trim().split('\n').map(row => JSON.parse(row))
  t.strictSame((await read(batch?.output_file_id)).map(row => row.custom_id), ['1', '2'])
  t.match(await read(batch?.error_file_id), [
    { custom_id: '3', response: null, error: { code: 'batch_expired' } },
    { custom_id: '4', response: null, error: { code: 'batch_expired' } }
  ])
  desk.sweep()
  t.equal(batches.list('').length, 1, 'it is there for as long as it may be kept from its end on')
  time += 3 * 7_200_000
  desk.sweep()
  t.strictSame([files.list(''), batches.list('')], [[], []], 'and all of it is removed when it is old')
  t.strictSame([readdirSync(join(path, 'files')), readdirSync(join(path, 'batches'))], [[], []])
})

t.test('a file too large, a disk too full and a form that is none are refused, and nothing is left', async t => {
  const folder = t.testdir()
  const environment = { LAVIT_BATCH_DIR: folder, LAVIT_BATCH_FILE_BYTES: '600000', LAVIT_BATCH_DISK_MB: '1' }
  const app = await buildTestApp(t, { environment })
  t.match((await send(app, 'x'.repeat(600_001))).json(), { status: 413, code: 'too_large' })
  t.match((await send(app, 'x'.repeat(700_000))).json(), { status: 413, code: 'too_large' })
  t.equal((await send(app, 'x'.repeat(600_000))).statusCode, 200)
  t.match((await send(app, 'x'.repeat(600_000))).json(), { status: 507, error: { code: 'storage_full' } })
  const post = async (sent: object) => (await app.inject({ method: 'POST', url: '/v1/files', ...sent })).json()
  t.match(await post({ payload: {} }), { status: 415 })
  t.match(await post(form([['purpose', 'batch']])), { status: 422, errors: [{ pointer: '/file' }] })
  t.match(await post(form([['file', 'x']])), { status: 422, errors: [{ pointer: '/purpose' }] })
  t.match(await post(form([['file', 'x'], ['purpose', 'vision']])), { status: 422 })
  t.match(await post(form([['file', 'x'], ['file', 'y'], ['purpose', 'batch']])), { status: 422 })
  const { headers, payload } = form([['purpose', 'batch'], ['file', 'x'.repeat(1000)]])
  t.match(await post({ headers, payload: payload.subarray(0, 800) }), { status: 400 })
  const short = await send(app, 'x', {}, [['expires_after[anchor]', 'created_at'], ['expires_after[seconds]', '3600']])
  t.equal(short.json().expires_at - short.json().created_at, 3600)
  for (const seconds of ['1', '0xe10', '3.6e3', ' 3600', 'x']) {
    t.equal((await send(app, 'x', {}, [['expires_after[seconds]', seconds]])).statusCode, 422, seconds)
  }
  t.equal((await send(app, 'x', {}, [['expires_after[seconds]', '']])).statusCode, 200, 'which is not given')
  t.match((await send(app, 'x', {}, [['expires_after[seconds]', '3600'], ['expires_after[seconds]', '7200']])).json(), {
    status: 422,
    errors: [{ pointer: '/expires_after[seconds]', message: 'is given more than once' }]
  })
  const stray = Buffer.from(payload.toString('latin1').replace('form-data', 'attachment'), 'latin1')
  t.match(await post({ headers, payload: stray }), { status: 400, detail: /no Content-Disposition: form-data/ })
  t.match((await app.inject({ method: 'POST', url: '/v1/batches' })).json(), {
    status: 400,
    detail: 'The request has no body'
  })
  t.strictSame(readdirSync(join(folder, 'incoming')), [])
  t.equal(readdirSync(join(folder, 'files')).length, 6)
})

t.test('a disk, or a quota, that is full when a file is there but for its name is told as such', async t => {
  const folder = t.testdir()
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: folder } })
  await app.ready()
  const { files } = app.desk()
  for (const code of ['ENOSPC', 'EDQUOT']) {
    files.add = async () => {
      throw Object.assign(new Error('no room'), { code })
    }
    t.match((await send(app, 'x')).json(), { status: 507, code: 'storage_full' }, code)
  }
  t.strictSame(readdirSync(join(folder, 'incoming')), [])
})

t.test('a client that leaves while it sends leaves nothing', async t => {
  const folder = t.testdir()
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: folder } })
  const url = new URL(await app.listen({ port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  const { headers, payload } = form([['purpose', 'batch'], ['file', 'x'.repeat(1_000_000)]])
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: ${payload.length}\r\n` +
      `Content-Type: ${headers['content-type']}\r\n\r\n`
  )
  socket.write(payload.subarray(0, 500_000))
  const incoming = join(folder, 'incoming')
  while (readdirSync(incoming).length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  socket.destroy()
  while (readdirSync(incoming).length > 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.strictSame(readdirSync(join(folder, 'files')), [])
})

t.test('a form that has ended is not waited for any longer', async t => {
  const folder = t.testdir()
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: folder } })
  const url = new URL(await app.listen({ port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  t.teardown(() => socket.destroy())
  const { headers, payload } = form([['purpose', 'batch'], ['file', 'x'.repeat(1000)]])
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: ${payload.length + 5}\r\n` +
      `Content-Type: ${headers['content-type']}\r\n\r\n`
  )
  socket.write(payload)
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1.1 400 [^]*5 bytes of its Content-Length did not come/)
  socket.destroy()
  const incoming = join(folder, 'incoming')
  while (readdirSync(incoming).length > 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.strictSame(readdirSync(join(folder, 'files')), [])
})

t.test('one server at a time has the folder', async t => {
  const environment = { LAVIT_BATCH_DIR: t.testdir() }
  const first = await buildTestApp(t, { environment })
  await first.ready()
  const second = await buildTestApp(t, { environment })
  t.match(await second.inject('/v1/batches'), { statusCode: 503, headers: { 'retry-after': '5' } })
  t.equal((await second.inject('/v1/batches')).json().code, 'batches_unavailable')
  await first.close()
  while ((await second.inject('/v1/batches')).statusCode === 503) await new Promise(resolve => setTimeout(resolve, 20))
  t.strictSame(readdirSync(join(environment.LAVIT_BATCH_DIR, 'leases')), ['server.1'])
})

t.test('a broken file of the folder is left out, and left as it is, and all others are there', async t => {
  const folder = t.testdir()
  const environment = { LAVIT_BATCH_DIR: folder }
  const first = await buildTestApp(t, { environment })
  const id = await begin(first, [caption('a')])
  await untilEnded(first, id)
  await first.close()
  const broken = { '{': 'batch_1', '{"asker":{},"batch":{}}': 'batch_2', null: 'batch_3' }
  for (const [text, name] of Object.entries(broken)) {
    mkdirSync(join(folder, 'batches', name))
    writeFileSync(join(folder, 'batches', name, 'batch.json'), text)
    writeFileSync(join(folder, 'files', `file-${name}.json`), text)
    writeFileSync(join(folder, 'files', `file-${name}.jsonl`), '')
  }
  const second = await buildTestApp(t, { environment })
  const idsOf = async (url: string) => (await second.inject(url)).json().data.map((item: { id: string }) => item.id)
  t.strictSame(await idsOf('/v1/batches'), [id])
  t.equal((await idsOf('/v1/files')).length, 2, 'what was sent, and the results')
  t.equal(readFileSync(join(folder, 'batches/batch_1/batch.json'), 'utf8'), '{')
  t.ok(existsSync(join(folder, 'files/file-batch_2.json')))
})

t.test('a file that is removed is kept for the batch that was made of it', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: t.testdir() } })
  const file = (await send(app, textOf([caption('a')]))).json()
  const payload = { input_file_id: file.id, endpoint: '/caption', completion_window: '24h' }
  const { id } = (await app.inject({ method: 'POST', url: '/v1/batches', payload })).json()
  t.equal((await app.inject({ method: 'DELETE', url: `/v1/files/${file.id}` })).statusCode, 200)
  t.match(await untilEnded(app, id), { status: 'completed', request_counts: { completed: 1 } })
})
