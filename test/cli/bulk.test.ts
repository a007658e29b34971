// covers: src/bulk/files.ts src/cli/commands/bulk.ts src/cli/bulk/folder.ts src/cli/bulk/items.ts
// covers: src/cli/bulk/job.ts src/cli/bulk/leases.ts src/cli/bulk/progress.ts src/cli/bulk/row.ts src/cli/bulk/shard.ts
// covers: src/cli/bulk/source.ts
/** Many pictures into a folder. `KILLS=50` in the environment kills workers so many times in place of six. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createProgress } from '../../src/cli/bulk/progress.ts'
import { pauseAfter } from '../../src/cli/bulk/row.ts'
import { Refusal, serverAway } from '../../src/cli/endings.ts'
import { lavit } from './fixtures/lavit.ts'
import { startPeer, tell } from './fixtures/peer.ts'

type Row = { input: string; status: number; captions?: { text: string }[]; [field: string]: unknown }

/** A folder of so many pictures; the last is broken. */
function setUp (t: Test, count: number) {
  const base = t.testdir({ pictures: {} })
  const folder = join(base, 'pictures')
  const names = Array.from({ length: count }, (_, i) => join(folder, `${String(i).padStart(3, '0')}.png`))
  for (const [i, name] of names.entries()) writeFileSync(name, i === count - 1 ? 'broken' : `bytes ${i}`)
  return { folder, names, out: join(base, 'out') }
}

function shardsOf (out: string) {
  return readdirSync(join(out, 'shards')).sort()
}

function rowsOf (out: string): Row[] {
  return shardsOf(out).flatMap(shard =>
    readFileSync(join(out, 'shards', shard, 'rows.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  )
}

/** Everything that a job has made, but for how long it took. */
function bytesOf (out: string) {
  return shardsOf(out).map(shard =>
    readdirSync(join(out, 'shards', shard)).sort().map(name => {
      const text = readFileSync(join(out, 'shards', shard, name), 'latin1')
      return [shard, name, name === 'stats.json' ? text.replace(/"seconds":[\d.]+/, '') : text]
    })
  )
}

t.test('rows in order, tokens as 16 bits, captions beside the pictures, a broken one as a row', async t => {
  const { folder, names, out } = setUp(t, 10)
  const { url, asked } = await startPeer(t)
  const words = ['bulk', folder, '--out', out, '--do', 'caption,tokenize', '--shard-size', '4', '--sidecars']
  const { code, stdout } = await lavit([...words, '--keep-threshold', '0.4', '--num-beams', '1', '--url', url])
  t.equal(code, 1)
  t.match(stdout, /^10 pictures, 1 image_unreadable, \d+ visual tokens: /)
  t.strictSame(shardsOf(out), ['00000', '00001', '00002'])

  const rows = rowsOf(out)
  t.strictSame(rows.map(({ input }) => input), names)
  t.strictSame(rows.map(({ status }) => status), [...Array(9).fill(200), 422])
  t.strictSame(rows[9], { input: names[9], status: 422, problem: { code: 'image_unreadable', detail: 'no' } })
  for (const [i, { captions }] of rows.slice(0, 9).entries()) {
    t.equal(readFileSync(names[i]!.replace('.png', '.txt'), 'utf8'), `${captions?.[0]?.text}\n`)
  }
  t.throws(() => statSync(names[9]!.replace('.png', '.txt')), { code: 'ENOENT' })

  const last = join(out, 'shards/00002')
  const offsets = new BigUint64Array(new Uint8Array(readFileSync(join(last, 'offsets.uint64'))).buffer)
  const tokens = new Uint16Array(new Uint8Array(readFileSync(join(last, 'tokens.uint16'))).buffer)
  t.equal(offsets.length, 3)
  t.equal(offsets[1], BigInt(Number(rows[8]?.count)))
  t.equal(offsets[2], BigInt(tokens.length), 'a broken picture has no tokens')
  t.ok(tokens.every(token => token % 257 === 0))

  const bodyOf = (task: string) => asked.find(({ path }) => path === task)?.body
  t.match(bodyOf('/caption'), { priority: 'bulk', seed: 0, num_beams: 1, keep_threshold: 0.4 })
  t.notMatch(bodyOf('/tokenize'), { num_beams: 1 })
  const tokenized = asked.filter(({ path }) => path === '/tokenize')
  t.equal(tokenized.length, 9)
  t.ok(tokenized.every(({ body: { image } }) => typeof image === 'object'), 'the picture is sent and encoded once')
  const { failed } = JSON.parse(readFileSync(join(last, 'stats.json'), 'utf8'))
  t.strictSame(failed, { image_unreadable: 1 })
})

t.test('a picture that the server has let go of is sent again', async t => {
  const { folder, out } = setUp(t, 3)
  const { url, kept } = await startPeer(t, {
    refuse: ({ path }) => {
      if (path === '/tokenize') kept.clear()
      return false
    }
  })
  await lavit(['bulk', folder, '--out', out, '--do', 'caption,tokenize', '--url', url])
  t.strictSame(rowsOf(out).map(({ status }) => status), [200, 200, 422])
})

t.test('going on redoes unfinished shards alone, without naming the pictures again', async t => {
  const { folder, out } = setUp(t, 12)
  const { url, asked } = await startPeer(t)
  await lavit(['bulk', folder, '--out', out, '--shard-size', '4', '--url', url])
  const before = bytesOf(out)
  rmSync(join(out, 'shards/00001'), { recursive: true })
  asked.length = 0
  t.equal((await lavit(['bulk', '--out', out, '--shard-size', '4', '--url', url])).code, 1)
  t.equal(asked.length, 4)
  t.strictSame(bytesOf(out), before)
})

t.test('a folder of another job is refused, and what differs is told', async t => {
  const { folder, names, out } = setUp(t, 4)
  const { url } = await startPeer(t)
  const other = await startPeer(t, { digest: 'b' })
  const words = ['bulk', folder, '--out', out]
  await lavit([...words, '--url', url])
  const cases: [words: string[], told: RegExp][] = [
    [[...words, '--url', other.url], /another job.*: digest$/m],
    [[...words, '--num-beams', '2', '--url', url], /: tasks$/m],
    [[...words, '--do', 'caption,tokenize', '--url', url], /: tasks$/m],
    [[...words, '--model', 'maxi', '--url', url], /: model$/m],
    [[...words, '--shard-size', '2', '--url', url], /: shard_size$/m],
    [['bulk', names[0]!, names[1]!, names[2]!, names[2]!, '--out', out, '--url', url], /: inputs$/m],
    [['bulk', names[0]!, '--out', out, '--url', url], /: pictures, inputs$/m]
  ]
  for (const [words, told] of cases) t.match(await lavit(words), { code: 2, stdout: '', stderr: told })
  t.match(await lavit(['bulk', '--out', `${out}2`, '--url', url]), { code: 2, stderr: /holds no job yet/ })
  t.match(await lavit([...words, '--do', 'paint', '--url', url]), { code: 2, stderr: /none of caption, ask, tokenize/ })
  t.match(await lavit(['bulk', folder, '--out', `${out}3`, '--do', 'ask', '--url', url]), {
    code: 2,
    stderr: /--question/
  })
})

t.test('lists in JSONL, from a file or stdin', async t => {
  const { folder, names, out } = setUp(t, 3)
  const { url, asked } = await startPeer(t)
  const list = [
    { image: '000.png', id: 'first', question: 'what?' },
    { image: names[1] },
    { image: `data:image/png;base64,${Buffer.from('x').toString('base64')}` },
    { image: 'nowhere.png' }
  ]
  const file = join(folder, 'list.jsonl')
  writeFileSync(file, list.map(line => JSON.stringify(line)).join('\n\n'))
  const words = ['--do', 'ask', '--question', 'where?', '--url', url]
  t.equal((await lavit(['bulk', file, '--out', out, ...words])).code, 1)
  t.match(rowsOf(out), [
    { input: '000.png', id: 'first', status: 200, answers: [{ text: /^what\? / }] },
    { input: names[1], status: 200, answers: [{ text: /^where\? / }] },
    { input: `${file}:5`, status: 200 },
    { input: 'nowhere.png', status: 422, problem: { code: 'image_unreadable' } }
  ])
  t.equal(asked.length, 3)
  const piped = await lavit(['bulk', '-', '--out', `${out}2`, ...words], { stdin: JSON.stringify({ image: names[0] }) })
  t.equal(piped.code, 0)
  const wrong = [['{', 'it is not JSON'], ['{}', 'no object'], ['{"image":"a","x":1}', 'x is none of']] as const
  for (const [line, told] of wrong) {
    t.match(await lavit(['bulk', '-', '--out', `${out}3`, ...words], { stdin: line }), {
      code: 2,
      stderr: new RegExp(`stdin:1: .*${told}`)
    })
  }
})

t.test('a list that is not there is told', async t => {
  const { out } = setUp(t, 1)
  const { url } = await startPeer(t)
  t.match(await lavit(['bulk', 'nope.jsonl', '--out', out, '--url', url]), { code: 2, stderr: /^error: ENOENT.*nope/ })
})

t.test('what is busy is asked again, what is wrong for all ends the job', async t => {
  const { folder, out } = setUp(t, 6)
  let refusals = 0
  const busy = await startPeer(t, {
    refuse: (_asked, response) => refusals++ < 10 && tell(response, 429, 'queue_full', { 'retry-after': '0' })
  })
  t.equal((await lavit(['bulk', folder, '--out', out, '--url', busy.url])).code, 1)
  t.equal(rowsOf(out).filter(({ status }) => status === 200).length, 5)

  const wrong = await startPeer(t, { refuse: (_asked, response) => tell(response, 401, 'unauthorized') })
  t.match(await lavit(['bulk', folder, '--out', `${out}2`, '--url', wrong.url]), { code: 4, stderr: /unauthorized/ })
  t.strictSame(shardsOf(`${out}2`), [])
  t.strictSame(readdirSync(join(`${out}2`, 'leases')), [], 'nobody holds the shard')
})

t.test('how long a failure is waited for', t => {
  const refusal = (status: number, code: string, after?: number) => new Refusal({ status, code, detail: '' }, after)
  const cases: [error: unknown, tries: number, seconds: number | undefined][] = [
    [refusal(429, 'queue_full', 7), 1000, 7],
    [refusal(429, 'queue_full', 7000), 1, 60],
    [refusal(503, 'model_loading', 2), 50, 2],
    [refusal(503, 'engine_restarting', 2), 4, 2],
    [refusal(503, 'engine_restarting', 2), 5, undefined],
    [refusal(503, 'model_unavailable'), 1, undefined],
    [refusal(500, 'internal_error'), 2, 1],
    [refusal(500, 'internal_error'), 3, undefined],
    [refusal(422, 'image_unreadable'), 1, undefined],
    [serverAway('gone'), 1, 1],
    [serverAway('gone'), 14, 10],
    [serverAway('gone'), 15, undefined]
  ]
  for (const [error, tries, seconds] of cases) t.equal(pauseAfter(error, tries), seconds, `${error}, ${tries}`)
  t.end()
})

t.test('a shard that another process holds is waited for, one of a process that is gone is taken over', async t => {
  const { folder, out } = setUp(t, 4)
  const { url } = await startPeer(t)
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'close')
  for (const name of ['leases', 'manifest']) mkdirSync(join(out, name), { recursive: true })
  const lease = join(out, 'leases/00000')
  const holdAs = (pid: number | undefined) => writeFileSync(lease, JSON.stringify({ pid, host: hostname() }))
  holdAs(process.ppid)
  let isDone = false
  const job = lavit(['bulk', folder, '--out', out, '--url', url]).then(() => {
    isDone = true
  })
  await new Promise(resolve => setTimeout(resolve, 300))
  t.notOk(isDone)
  holdAs(gone.pid)
  await job
  t.equal(rowsOf(out).length, 4)
})

t.test('progress tells the time that is left', t => {
  let ms = 0
  const progress = createProgress(1000, 200, () => ms)
  for (let i = 0; i < 80; i++) {
    ms += 100
    progress.add(i < 3)
  }
  t.equal(progress.tell(), '280 of 1000, 3 failed, 10.0/s, 72 s left')
  t.match(createProgress(1e8, 0, () => 0).tell(), '0 of 100000000, 0.0/s')
  t.end()
})

t.test('three workers killed at random moments make what one makes undisturbed', async t => {
  const kills = Number(process.env.KILLS ?? 6)
  const { folder, out } = setUp(t, 60 + 12 * kills)
  const workers = new Map<string, ChildProcess>() // by the key that each sends
  let killed = 0
  const { url, asked } = await startPeer(t, {
    delayMs ({ key = '' }) {
      const worker = workers.get(key)
      const strike = () => {
        if (killed < kills && worker?.kill('SIGKILL')) killed++
      }
      if (worker && Math.random() < 0.15) setTimeout(strike, Math.random() * 100)
      return 10 + Math.random() * 40
    }
  })
  const words = ['bulk', folder, '--do', 'caption,tokenize', '--shard-size', '5', '--url', url]
  t.equal((await lavit([...words, '--out', `${out}0`, '--in-flight', '50'])).code, 1)
  const needed = asked.length

  const { PATH } = process.env
  const root = join(import.meta.dirname, '../..')
  let started = 0
  const work = async () => {
    for (;;) {
      const worker = spawn(
        process.execPath,
        ['--import', 'tsx', 'src/cli/main.ts', ...words, '--out', out, '--in-flight', '2'],
        { cwd: root, env: { PATH, HOME: '/nowhere', LAVIT_KEY: String(started) }, stdio: 'ignore' }
      )
      workers.set(`Bearer ${started++}`, worker)
      const [code, signal] = await once(worker, 'close')
      if (signal === null) return code
    }
  }
  t.strictSame(await Promise.all([work(), work(), work()]), [1, 1, 1])
  t.equal(killed, kills)
  t.strictSame(bytesOf(out), bytesOf(`${out}0`))
  t.ok(asked.length > 2 * needed, 'what was cut off was done again')
  t.strictSame(readdirSync(join(out, 'work')), [], 'nothing half made is left')
  t.comment(`${killed} kills; ${asked.length - needed} requests in place of ${needed}`)
})
