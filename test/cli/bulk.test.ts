// covers: src/bulk/files.ts src/cli/commands/bulk.ts src/cli/bulk/folder.ts src/cli/bulk/items.ts
// covers: src/cli/bulk/job.ts src/cli/bulk/leases.ts src/cli/bulk/progress.ts src/cli/bulk/row.ts src/cli/bulk/shard.ts
// covers: src/cli/bulk/source.ts src/cli/bulk/job-index.ts src/cli/bulk/pieces.ts src/cli/bulk/report.ts
// covers: src/cli/bulk/sidecars.ts src/cli/bulk/wanted.ts src/cli/bulk/tar.ts src/cli/bulk/lists.ts
// covers: src/cli/bulk/packed.ts
/** Many pictures into a folder. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { Holder } from '../../src/bulk/lease.ts'
import { markOfProcess } from '../../src/bulk/process.ts'
import { createProgress } from '../../src/cli/bulk/progress.ts'
import { bytesOf } from '../bulk/workers.ts'
import { buildTestApp, png } from '../helper.ts'
import { lavit } from './fixtures/lavit.ts'
import { startPeer, tell, type Asked } from './fixtures/peer.ts'

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

t.test('a job.json that is none is told, and left as it is', async t => {
  const { folder, out } = setUp(t, 2)
  const { url, asked } = await startPeer(t)
  const file = join(out, 'job.json')
  mkdirSync(out)
  const texts = [['{"version": 1,\n', 'job.json: it is not JSON'], ['', 'not JSON'], ['3', 'another job']]
  for (const [text, told] of texts) {
    writeFileSync(file, text!)
    for (const words of [[folder], []]) {
      const ended = await lavit(['bulk', ...words, '--out', out, '--url', url])
      t.match(ended, { code: 2, stdout: '', stderr: new RegExp(`^error: .*${told}.*\n$`) })
    }
    t.equal(readFileSync(file, 'utf8'), text)
  }
  rmSync(file)
  mkdirSync(file)
  t.match(await lavit(['bulk', '--out', out, '--url', url]), { code: 2, stderr: /^error: .*job.json: EISDIR.*\n$/ })
  t.equal(asked.length, 0)
})

t.test('a list of a shard that something has broken is told, and mended where the pictures are named', async t => {
  const { folder, names, out } = setUp(t, 6)
  const { url, asked } = await startPeer(t)
  const words = ['--out', out, '--shard-size', '4', '--url', url]
  await lavit(['bulk', folder, ...words])
  const before = bytesOf(out)
  const [first, second] = ['0', '1'].map(i => join(out, `manifest/0000${i}.jsonl`)) as [string, string]
  const whole = readFileSync(first, 'utf8')
  const lines = whole.split('\n')
  const broken: [text: string | undefined, told: string][] = [
    [whole.slice(0, lines[0]!.length + 9), 'jsonl:2: it is no picture'],
    [`${lines[0]}\n{"input": "x"}\n`, 'jsonl:2: it is no picture'],
    [`${lines[0]}\n3\n`, 'jsonl:2: it is no picture'],
    [`${lines[0]}\n`, 'jsonl: it lists 1 pictures, the shard has 4'],
    ['', 'jsonl: it lists 0 pictures, the shard has 4'],
    [undefined, 'jsonl: it lists 0 pictures, the shard has 4']
  ]
  for (const [i, [text, told]] of broken.entries()) {
    rmSync(join(out, 'shards/00000'), { recursive: true })
    if (text === undefined) rmSync(first)
    else writeFileSync(first, text)
    const ended = await lavit(['bulk', ...words])
    t.match(ended, { code: 2, stdout: '', stderr: new RegExp(`^error: .*00000.${told}.*name the pictures.*\n$`) }, told)
    if (i === 0) {
      t.match(await lavit(['bulk', names[0]!, ...words]), { code: 2, stderr: /: pictures, inputs$/m })
      t.match(await lavit(['bulk', folder, ...words, '--shard-size', '2']), { code: 2, stderr: /: shard_size$/m })
      t.equal(readFileSync(first, 'utf8'), text, 'other pictures mend nothing')
      t.strictSame(readdirSync(join(out, 'work')), [])
    }
    t.equal((await lavit(['bulk', folder, ...words])).code, 1)
    t.strictSame(bytesOf(out), before)
    t.equal(readFileSync(first, 'utf8'), whole)
  }
  rmSync(join(out, 'shards/00001'), { recursive: true })
  asked.length = 0
  rmSync(second)
  mkdirSync(second)
  t.match(await lavit(['bulk', ...words]), { code: 2, stderr: /^error: .*EISDIR.*\n$/ })
  t.equal(asked.length, 0)
})

t.test('what a shard tells of itself, where it is broken, is told before any work', async t => {
  const { folder, out } = setUp(t, 6)
  const { url, asked } = await startPeer(t)
  const words = ['bulk', '--out', out, '--shard-size', '4', '--url', url]
  await lavit(['bulk', folder, ...words.slice(1)])
  const before = bytesOf(out)
  const stats = join(out, 'shards/00001/stats.json')
  const whole = JSON.parse(readFileSync(stats, 'utf8'))
  const { failed: _failed, ...part } = whole
  rmSync(join(out, 'shards/00000'), { recursive: true })
  asked.length = 0
  const other = JSON.stringify({ ...whole, pictures: '2' })
  for (const text of ['', '{"pictures": 2,', 'null', '{}', JSON.stringify(part), other]) {
    writeFileSync(stats, text)
    const told = new RegExp(`^error: ${stats}: it .*; remove ${join(out, 'shards/00001')}, and .*\n$`)
    t.match(await lavit(words), { code: 2, stdout: '', stderr: told }, text)
  }
  t.equal(asked.length, 0)
  rmSync(join(out, 'shards/00001'), { recursive: true })
  t.equal((await lavit(words)).code, 1)
  t.strictSame(bytesOf(out), before)

  const job = join(out, 'job.json')
  const { pictures: _pictures, ...rest } = JSON.parse(readFileSync(job, 'utf8'))
  writeFileSync(job, JSON.stringify(rest))
  t.match(await lavit(words), { code: 2, stdout: '', stderr: /^error: .*job.json: it tells of no pictures\n$/ })
})

t.test('a place that cannot be a folder is told in one line', async t => {
  const { folder, names, out } = setUp(t, 2)
  const { url, asked } = await startPeer(t)
  const places = [[names[0]!, 'ENOTDIR'], [join(names[0]!, 'x'), 'ENOTDIR'], ['/proc/x', 'ENOENT'], ['/proc', 'ENOENT']]
  for (const [place = '', told = ''] of places) {
    t.match(await lavit(['bulk', folder, '--out', place, '--url', url]), {
      code: 2,
      stdout: '',
      stderr: new RegExp(`^error: --out: ${told}: .*\n$`)
    })
  }
  mkdirSync(join(out, 'a'), { recursive: true })
  t.equal((await lavit(['bulk', folder, '--out', join(out, 'a/b/c'), '--url', url])).code, 1, 'all above it are made')
  t.equal(asked.length, 2)
})

t.test('lists in JSONL, from a file or stdin', async t => {
  const { folder, names, out } = setUp(t, 3)
  const { url, asked } = await startPeer(t)
  const list = [
    { image: '000.png', id: 'first\u2028of all', question: 'what?' },
    { image: names[1] },
    { image: `data:image/png;base64,${Buffer.from('x').toString('base64')}` },
    { image: 'nowhere.png' },
    { image: 'x'.repeat(300) }
  ]
  const file = join(folder, 'list.jsonl')
  writeFileSync(file, list.map(line => JSON.stringify(line)).join('\n\n'))
  const words = ['--do', 'ask', '--question', 'where?', '--url', url]
  t.equal((await lavit(['bulk', file, '--out', out, ...words])).code, 1)
  t.match(rowsOf(out), [
    { input: '000.png', id: 'first\u2028of all', status: 200, answers: [{ text: /^what\? / }] },
    { input: names[1], status: 200, answers: [{ text: /^where\? / }] },
    { input: `${file}:5`, status: 200 },
    { input: 'nowhere.png', status: 422, problem: { code: 'image_unreadable' } },
    { status: 422, problem: { code: 'image_unreadable', detail: /^ENAMETOOLONG/ } }
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

t.test('pictures of tar files are read where they lie', async t => {
  const { folder, names, out } = setUp(t, 4)
  const { url } = await startPeer(t)
  const words = ['--do', 'caption,tokenize', '--sidecars', '--url', url]
  await lavit(['bulk', ...names, '--out', out, ...words])
  for (const name of readdirSync(folder).filter(name => name.endsWith('.txt'))) rmSync(join(folder, name))

  const long = 'a'.repeat(120)
  mkdirSync(join(folder, long))
  copyFileSync(names[1]!, join(folder, long, 'b.c.PNG'))
  writeFileSync(join(folder, '000.json'), '{}')
  spawnSync('tar', ['-cf', 'a-0.tar', '000.png', '000.json', `${long}/b.c.PNG`], { cwd: folder })
  spawnSync('tar', ['--format=ustar', '-cf', 'a-1.tar', '002.png', '003.png'], { cwd: folder })
  const before = readdirSync(folder)
  t.equal((await lavit(['bulk', join(folder, 'a-*.tar'), '--out', `${out}2`, ...words])).code, 1)
  const [first, second] = [join(folder, 'a-0.tar'), join(folder, 'a-1.tar')]
  t.match(rowsOf(`${out}2`).map(({ input, id }) => ({ input, id })), [
    { input: `${first}/000.png`, id: '000' },
    { input: `${first}/${long}/b.c.PNG`, id: `${long}/b` },
    { input: `${second}/002.png`, id: '002' },
    { input: `${second}/003.png`, id: '003' }
  ])
  const told = (out: string) => rowsOf(out).map(({ status, captions }) => ({ status, captions }))
  t.strictSame(told(`${out}2`), told(out))
  for (const name of ['tokens.uint16', 'offsets.uint64']) {
    t.strictSame(readFileSync(join(`${out}2`, 'shards/00000', name)), readFileSync(join(out, 'shards/00000', name)))
  }
  t.strictSame(readdirSync(folder), before, 'there is no place for a sidecar')

  writeFileSync(join(folder, 'broken.tar'), readFileSync(first).subarray(0, 700))
  const broken = await lavit(['bulk', join(folder, 'broken.tar'), '--out', `${out}3`, ...words])
  t.match(broken, { code: 2, stderr: /broken.tar: / })
})

t.test('tar files that gzip packed are read, too', async t => {
  const { folder, names, out } = setUp(t, 9)
  const { url } = await startPeer(t, { delayMs: () => Math.random() * 5 })
  const words = ['--do', 'caption,tokenize', '--shard-size', '2', '--in-flight', '3', '--url', url]
  const files = names.map(name => basename(name))
  writeFileSync(join(folder, '004.png'), randomBytes(300_000))
  const pack = (name: string, files: string[]) => spawnSync('tar', ['-czf', name, ...files], { cwd: folder })
  pack('a-0.tar.gz', files.slice(0, 7))
  files.slice(7).forEach((file, i) => pack(`b-${i}.tgz`, [file, '003.png', '004.png']))
  const bulk = (out: string, ...words: string[]) => lavit(['bulk', ...words, '--out', out])
  const packed = join(folder, '*.{tar.gz,tgz}')
  t.equal((await bulk(`${out}1`, packed, ...words)).code, 1)
  const told = (out: string) =>
    rowsOf(out).map(({ input, status, captions }) => ({ input: basename(input), status, captions }))
  const plain = [...files.slice(0, 7), ...files.slice(7).flatMap(file => [file, '003.png', '004.png'])]
  await bulk(out, ...plain.map(file => join(folder, file)), ...words)
  t.equal(told(out).length, 13)
  t.strictSame(told(`${out}1`), told(out))

  await t.test('from their beginning again, where a shard is made anew', async t => {
    rmSync(join(`${out}1`, 'shards/00001'), { recursive: true })
    t.equal((await bulk(`${out}1`, packed, ...words)).code, 1)
    t.strictSame(told(`${out}1`), told(out))
  })
  const file = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes)
    return bulk(`${out}2`, join(folder, name), ...words)
  }
  const bytes = readFileSync(join(folder, 'a-0.tar.gz'))
  t.match(await file('cut.tar.gz', bytes.subarray(0, 1000)), { code: 2, stderr: /cut.tar.gz: unexpected end/ })
  t.match(await file('no.tgz', Buffer.from('no gzip')), { code: 2, stderr: /no.tgz: incorrect header/ })
  t.match(await file('bomb.tgz', gzipSync(Buffer.alloc(1 << 26))), {
    code: 2,
    stderr: /^error: .*bomb.tgz: it unpacks to more than 200 times its size\n$/
  })
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
  t.match(readFileSync(join(`${out}2`, 'leases/00000.0'), 'utf8'), '"isFree":true', 'nobody holds the shard')
})

t.test('a wrong question ends the job where it is for all, and is a row where a list has it', async t => {
  const { folder, out } = setUp(t, 0)
  writeFileSync(join(folder, 'a.png'), png)
  const app = await buildTestApp(t)
  const words = ['--do', 'ask', '--url', await app.listen({ port: 0 })]
  for (const [i, question] of ['', ' '].entries()) {
    const ended = await lavit(['bulk', folder, '--out', `${out}${i}`, '--question', question, ...words])
    t.match(ended, { code: 4, stdout: '', stderr: /^error: invalid_field: question .*\n$/ })
    t.strictSame(shardsOf(`${out}${i}`), [])
  }
  const list = [{ image: 'a.png', question: '' }, { image: 'a.png' }].map(line => JSON.stringify(line)).join('\n')
  writeFileSync(join(folder, 'list.jsonl'), list)
  t.equal((await lavit(['bulk', join(folder, 'list.jsonl'), '--out', out, '--question', 'what?', ...words])).code, 1)
  t.match(rowsOf(out), [{ status: 422, problem: { code: 'invalid_field' } }, { status: 200 }])
})

t.test('a shard that another process holds is waited for, one of a process that is gone is taken over', async t => {
  const { folder, out } = setUp(t, 4)
  const { url } = await startPeer(t)
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'close')
  for (const name of ['leases', 'manifest']) mkdirSync(join(out, name), { recursive: true })
  const holdAs = (pid = 0, token = '') => {
    const holder: Holder = { pid, host: markOfProcess().host, token, deaths: 0 }
    writeFileSync(join(out, 'leases/00000.0'), JSON.stringify(holder))
  }
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
    progress.add({ ...(i < 3 && { failedAs: 'too_large' }), usage: { visual_tokens: 20, completion_tokens: 3 } })
  }
  t.equal(progress.tell(), '280 of 1000, 3 failed, 10.0/s, 72 s left; 1,000 take 100 s and 23000 tokens')
  progress.begin(380)
  t.match(progress.tell(), '380 of 1000, 3 failed, 22.5/s, 28 s left', 'others have done a hundred beside')
  t.match(createProgress(1e8, 0, () => 0).tell(), '0 of 100000000, 0.0/s')
  t.end()
})

t.test('pods of an Indexed Job do each its own shards', async t => {
  const { folder, out } = setUp(t, 10)
  const { url } = await startPeer(t)
  const words = ['bulk', folder, '--out', out, '--shard-size', '2', '--shards-from', 'index', '--url', url]
  const pod = (index: string) => lavit([...words, '--completions', '2'], { env: { JOB_COMPLETION_INDEX: index } })
  t.match(await pod('1'), { code: 0, stdout: /^4 pictures, \d+ visual tokens: / })
  t.strictSame(shardsOf(out), ['00001', '00003'])
  t.match(await pod('0'), { code: 1, stdout: /^6 pictures, 1 image_unreadable/ })
  t.strictSame(shardsOf(out), ['00000', '00001', '00002', '00003', '00004'])
  t.match(await pod('2'), { code: 2, stderr: /JOB_COMPLETION_INDEX: "2" is no number below the 2 completions/ })
  t.match(await lavit(words), { code: 2, stderr: /needs --completions/ })
  t.match(await lavit([...words, '--shards-from', 'nowhere']), { code: 2, stderr: /nowhere.* is none of/ })
})

t.test('a picture that ends engines is asked about once more, alone, and is then a row with its problem', async t => {
  const { folder, names, out } = setUp(t, 12)
  writeFileSync(names[5]!, 'ender')
  const isOf = (bytes: string) => ({ body: { image } }: Asked) => image === Buffer.from(bytes).toString('base64')
  const isEnder = isOf('ender')
  const { url, asked } = await startPeer(t, {
    refuse (ask, response) {
      const isBesideFirst = isOf('bytes 4')(ask) && asked.filter(isOf('bytes 4')).length === 1
      if (!isEnder(ask) && !isBesideFirst) return false
      return tell(response, 503, 'engine_restarting', { 'retry-after': '0', 'x-queue-position': '0' })
    }
  })
  t.equal((await lavit(['bulk', folder, '--out', out, '--url', url])).code, 1)
  t.ok(asked.slice(-2).every(ask => isEnder(ask) || isOf('bytes 4')(ask)), 'when the others are done')
  t.equal(rowsOf(out)[4]?.status, 200)
  t.equal(asked.filter(isEnder).length, 2)
  t.match(rowsOf(out)[5], { status: 503, problem: { code: 'engine_restarting' } })
})

t.test('two workers at one shard make it once', async t => {
  const { folder: pictures, out } = setUp(t, 6)
  const { url } = await startPeer(t, { delayMs: () => Math.random() * 20 })
  const words = ['bulk', pictures, '--out', out, '--url', url]
  await lavit(words)
  const before = bytesOf(out)
  rmSync(join(out, 'shards/00000'), { recursive: true })
  const removal = setInterval(() => {
    for (const name of readdirSync(join(out, 'leases'))) rmSync(join(out, 'leases', name), { force: true })
  }, 5)
  t.strictSame((await Promise.all([lavit(words), lavit(words), lavit(words)])).map(({ code }) => code), [1, 1, 1])
  clearInterval(removal)
  t.strictSame(bytesOf(out), before)
})

t.test('a shard without its last file is none, and gives way', async t => {
  const { folder, out } = setUp(t, 4)
  const { url } = await startPeer(t)
  const words = ['bulk', folder, '--out', out, '--url', url]
  await lavit(words)
  const before = bytesOf(out)
  rmSync(join(out, 'shards/00000/stats.json'))
  t.equal((await lavit(words)).code, 1)
  t.strictSame(bytesOf(out), before)
  t.strictSame(readdirSync(join(out, 'work')), [])
})

t.test('a text that cannot be written costs nothing else, and a job that is done gets those that it lacks', async t => {
  const { folder, out } = setUp(t, 3)
  const { url, asked } = await startPeer(t)
  const long = `${'x'.repeat(245)}.png`
  writeFileSync(join(folder, long), 'bytes long')
  mkdirSync(join(folder, '000.txt'))
  const words = ['bulk', folder, '--out', out, '--url', url]
  await lavit(words)
  asked.length = 0
  for (let i = 0; i < 2; i++) {
    const { code, stderr } = await lavit([...words, '--sidecars'])
    t.match({ code, stderr }, { code: 1, stderr: /^warning: --sidecars: 1 not written: EISDIR.*\n$/ })
    t.match(readFileSync(join(folder, long.replace('.png', '.txt')), 'utf8'), /^picture .*\n$/)
    t.ok(statSync(join(folder, '001.txt')).isFile())
    t.strictSame(readdirSync(folder).filter(name => name.startsWith('.')), [], 'nothing half made is left')
  }
  t.equal(asked.length, 0)
  rmSync(join(out, 'shards/00000'), { recursive: true })
  rmSync(join(folder, '001.txt'))
  t.match(await lavit([...words, '--sidecars']), { code: 1, stderr: /1 not written/ })
  t.equal(rowsOf(out).length, 4)
  t.ok(statSync(join(folder, '001.txt')).isFile())
})

t.test('of pictures that share a text the first has it, and the others are told', async t => {
  const { folder, out } = setUp(t, 0)
  for (const name of ['a.jpg', 'a.png', 'a.webp', 'b.png']) writeFileSync(join(folder, name), `bytes of ${name}`)
  writeFileSync(join(folder, 'a.txt'), 'what stood there')
  const { url } = await startPeer(t)
  const words = [folder, '--shard-size', '2', '--sidecars', '--url', url]
  const told = `warning: --sidecars: 1 not written: ${join(folder, 'a.txt')} is for the caption of an earlier picture\n`
  for (const time of ['at first', 'when all is done']) {
    const { code, stderr } = await lavit(['bulk', ...words, '--out', out])
    t.strictSame({ code, stderr }, { code: 1, stderr: told.repeat(2) }, time)
    const [first, , , other] = rowsOf(out)
    t.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), `${first?.captions?.[0]?.text}\n`)
    t.equal(readFileSync(join(folder, 'b.txt'), 'utf8'), `${other?.captions?.[0]?.text}\n`)
  }
  writeFileSync(join(folder, 'b.txt'), 'what stands there')
  await lavit(['bulk', ...words, '--out', out])
  t.equal(readFileSync(join(folder, 'b.txt'), 'utf8'), 'what stands there', 'what is done is not done again')

  await t.test('a picture that a list names twice has one caption, unless by another prompt', async t => {
    const bulk = (to: string, ...prompts: (string | undefined)[]) => {
      const list = prompts.map(prompt => JSON.stringify({ image: 'b.png', prompt })).join('\n')
      writeFileSync(join(folder, 'list.jsonl'), list)
      return lavit(['bulk', join(folder, 'list.jsonl'), '--sidecars', '--url', url, '--out', to])
    }
    t.match(await bulk(`${out}2`, undefined, undefined), { code: 0, stderr: '' })
    t.match(await bulk(`${out}3`, undefined, 'there is'), { code: 1, stderr: /1 not written/ })
  })
})

t.test('a folder that cannot be written any more is told in one line', async t => {
  const { folder, out } = setUp(t, 2)
  const { url } = await startPeer(t, {
    refuse () {
      rmSync(join(out, 'work'), { recursive: true, force: true })
      writeFileSync(join(out, 'work'), '')
      return false
    }
  })
  t.match(await lavit(['bulk', folder, '--out', out, '--url', url]), { code: 2, stderr: /^error: ENOTDIR: .*\n$/ })
})

t.test('options that nothing takes, and a list that cannot be had twice, are told before any work', async t => {
  const { folder, out } = setUp(t, 2)
  const { url, asked } = await startPeer(t)
  const cases: [words: string[], told: RegExp][] = [
    [[folder, '--question', 'what?'], /^error: --question: nothing that --do names takes it\n$/],
    [[folder, '--do', 'tokenize', '--num-beams', '2'], /^error: --num-beams: nothing/],
    [[folder, '--do', 'tokenize', '--sidecars'], /^error: --sidecars: they are captions/],
    [[folder, '--completions', '2'], /^error: --completions: it is for --shards-from index\n$/],
    [[folder, '--at-once', '2'], /^error: --at-once: it is for --shards-from nats:\/\/HOST\n$/],
    [['-', '-'], /^error: stdin can be one list only\n$/]
  ]
  for (const [words, told] of cases) {
    t.match(await lavit(['bulk', ...words, '--out', out, '--url', url]), { code: 2, stdout: '', stderr: told })
  }
  t.equal(asked.length, 0)
})

t.test('a list may begin with the mark of its bytes', async t => {
  const { names, out } = setUp(t, 2)
  const { url } = await startPeer(t)
  const stdin = `\uFEFF${JSON.stringify({ image: names[0] })}\n`
  t.equal((await lavit(['bulk', '-', '--out', out, '--url', url], { stdin })).code, 0)
})
