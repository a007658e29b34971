// covers: src/cli/io.ts src/cli/output.ts src/bulk/in-order.ts src/cli/root.ts src/cli/peers/patience.ts
// covers: src/cli/commands/bench.ts src/cli/commands/models.ts src/cli/commands/serve.ts src/cli/program.ts
// covers: src/cli/pictures.ts src/cli/out-file.ts src/cli/answers.ts src/bulk/retry-after.ts
/** How commands end: exit codes, what stands on stdout and what on stderr. */
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { stripVTControlCharacters, styleText } from 'node:util'
import t, { type Test } from 'tap'
import { readStdin } from '../../src/cli/io.ts'
import { base64, buildTestApp, png } from '../helper.ts'
import { lavit } from './fixtures/lavit.ts'

/** A server with the fake model, and a folder of two pictures and a broken one. */
async function setUp (t: Test) {
  const app = await buildTestApp(t)
  const url = await app.listen({ port: 0 })
  const folder = t.testdir({ 'a.png': png, 'b.png': png, 'broken.png': png.subarray(0, 50) })
  return { app, url, file: (name: string) => join(folder, name), folder }
}

/** Something that is no LaVIT server. */
async function startOther (t: Test, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** Where nobody listens. */
async function findAway () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

t.test('exit codes', async t => {
  const { url, file } = await setUp(t)
  const other = await startOther(t, (_request, response) => response.writeHead(404).end('no'))
  const login = await startOther(t, (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
  )
  const broken = await startOther(t, (_request, response) => response.end('{"captions": ['))
  const strange = await startOther(t, (_request, response) => response.end('{"status":"ok","images":[{"data":7}]}'))
  const empty = await startOther(t, (_request, response) => response.end('null'))
  const foreign = /^error: the server answered, and not as a LaVIT server does: .+ must .+\n$/
  const moved = await startOther(t, (_request, response) =>
    response.writeHead(301, { location: `${url}/x` }).end('<html>\n</html>')
  )
  const elsewhere = /^error: the server answered 301 to http:\S+\d\/x, and not as a LaVIT server does\n$/
  const away = await findAway()
  const cases: [words: string[], code: number, stderr: RegExp][] = [
    [['caption', file('a.png'), '--url', url], 0, /^$/],
    [['models', '--url', url], 0, /^$/],
    [['--version'], 0, /^$/],
    [['caption', '--help'], 0, /^$/],
    [['caption', file('a.png'), file('broken.png'), '--url', url], 1, /^error: \S+broken.png: image_unreadable: .+\n$/],
    [[], 2, /Usage: lavit/],
    [['paint', 'a', '--sed', '7'], 2, /^error: unknown option '--sed'\n\(Did you mean --seed\?\)\n$/],
    [['captoin'], 2, /Did you mean caption\?/],
    [['caption', '--url', url], 2, /^error: give pictures, or --visual-tokens\n$/],
    [['caption', file('nope.png'), '--url', url], 2, /^error: \S+nope.png: there is no such file\n$/],
    [['paint', `@${file('nope.png')}`, 'a', '--url', url], 2, /^error: [^@]+nope.png: there is no such file\n$/],
    [['paint', '@', 'a', '--url', url], 2, /^error: @: the name of a picture comes right after it\n$/],
    [['paint', `@${join(file('a.png'), '..')}`, 'a', '--url', url], 2, /: a folder is no picture of a prompt\n$/],
    [['caption', 'x'.repeat(300), '--url', url], 2, /^error: ENAMETOOLONG: .*\n$/],
    [['caption', file('*.gif'), '--url', url], 2, /there is no such file\n$/],
    [['caption', file('a.png'), '--seed', 'x', '--url', url], 2, /^error: --seed: "x" is not a whole number\n$/],
    [['caption', file('a.png'), '--postprocess', 'x', '--url', url], 2, /is not one of none, first_sentence/],
    [['detokenize', '1,b', '--url', url], 2, /^error: visual tokens: "b" is not a visual token\n$/],
    [['detokenize', '7', '-', '--url', url], 2, /^error: visual tokens are those of stdin or those given, not both\n$/],
    ...['', '.', '..'].map((name): [string[], number, RegExp] => [
      ['models', name, '--url', url],
      2,
      /^error: "\.*" is no name of a model\n$/
    ]),
    [['paint', 'a', '--out', '-', '--json', '--url', url], 2, /both take stdout/],
    [['paint', 'a', '--n', '2', '--out', '-', '--url', url], 2, /^error: --out - takes one picture\n$/],
    [['models', '--url', 'http://me:secret@127.0.0.1:1'], 2, /^error: --url: an address with a user (?!.*secret).*\n$/],
    [['models', '--url', 'ftp://me:secret@x'], 2, /^error: --url: "ftp:\/\/…@x" is no address/],
    ...['?x=1', '/?', '#a'].map((more): [string[], number, RegExp] => [
      ['models', '--url', url + more],
      2,
      /^error: --url: it must end with the path of the server: paths are put after it\n$/
    ]),
    [['models', '--key', 'a\nb', '--url', url], 2, /^error: --key: it has characters that no header can hold\n$/],
    [['models', '--url', login], 3, /^error: the server answered with text\/html, and not as a LaVIT server does\n$/],
    [['caption', '-', '-', '--url', url], 2, /stdin can be one picture only/],
    [['ask', '-', '-', '--url', url], 2, /stdin is either/],
    [['models', '--url', 'ftp://x'], 2, /^error: --url: "ftp:\/\/x" is no address/],
    [['models', '--url', away], 3, /^error: http:\/\/127.0.0.1:\d+ does not answer: ECONNREFUSED\n$/],
    [['models', '--url', other], 3, /^error: the server answered 404, and not as a LaVIT server does\n$/],
    ...[['models'], ['caption', file('a.png')], ['paint', 'a'], ['bench', file('a.png')]].map(
      (words): [string[], number, RegExp] => [[...words, '--url', moved], 3, elsewhere]
    ),
    ...[strange, empty].flatMap(peer =>
      [
        ['caption', file('a.png')],
        ['caption', file('a.png'), file('b.png')],
        ['ask', 'what?', file('a.png')],
        ['tokenize', file('a.png')],
        ['tokenize', file('a.png'), '--json'],
        ['paint', 'a'],
        ['detokenize', '1', '--json'],
        ['estimate', 'caption', file('a.png')],
        ['bench', file('a.png'), '--seconds', '1'],
        ['models'],
        ['models', '--json'],
        ['models', 'mini'],
        ['bulk', file('a.png'), '--out', file('out')]
      ].map((words): [string[], number, RegExp] => [[...words, '--url', peer], 3, foreign])
    ),
    [['caption', file('a.png'), '--url', broken], 3, /^error: the server answered with what is no JSON, .+\n$/],
    [['models', 'none', '--url', url], 4, /^error: model_not_found: There is no such model\n$/],
    [['caption', file('broken.png'), '--url', url], 4, /^error: image_unreadable: /],
    [['paint', 'a', '--top-p', '2', '--url', url], 4, /^error: invalid_field: top_p must be <= 1\n$/],
    [['caption', '/dev/zero', '--url', url], 4, /^error: too_large: The picture has more than \d+ bytes\n$/],
    [['caption', 'https://example.org/a.png', '--url', url], 4, /^error: /]
  ]
  for (const [words, wanted, told] of cases) {
    const { code, stdout, stderr } = await lavit(words)
    t.equal(code, wanted, `${words.map(word => word.split('/').at(-1)).join(' ')}: ${wanted}`)
    t.match(stderr, told)
    t.equal(stdout === '', wanted > 1, 'data where there is any')
  }
})

t.test('an endless stdin is not read to its end', async t => {
  async function * pour () {
    for (;;) yield Buffer.alloc(1 << 26)
  }
  const stdin = Readable.from(pour())
  const { signal } = new AbortController()
  await t.rejects(readStdin({ stdin, signal }), { exitCode: 2, message: /^stdin has more/ })
})

t.test('a file that cannot be written, or whose suffix is no format, is told before any work', async t => {
  const { app, url, file, folder } = await setUp(t)
  const cases: [words: string[], stderr: RegExp][] = [
    [['paint', 'a', '--out', '/nope/x.png'], /^error: --out: ENOENT: .*\n$/],
    [['paint', 'a', '--out', join(file('a.png'), 'x.png')], /^error: --out: ENOTDIR: .*\n$/],
    [['paint', 'a', '--out', folder], /^error: --out: ".*" names no file\n$/],
    [['paint', 'a', '--out', file('new/')], /^error: --out: ".*new\/" names no file\n$/],
    [['paint', 'a', '--out', ''], /^error: --out: "" names no file\n$/],
    [['paint', 'a', '--n', '3', '--out', file('d.png')], /^error: --out: ".*d-3.png" names no file\n$/],
    [['detokenize', '1', '--out', '/nope/x.png'], /^error: --out: ENOENT: .*\n$/],
    [['tokenize', file('a.png'), '--overlay', '/nope/x.png'], /^error: --overlay: ENOENT: .*\n$/],
    [['tokenize', file('a.png'), '--overlay', folder], /^error: --overlay: ".*" names no file\n$/],
    [['tokenize', file('a.png'), '--overlay', '-'], /^error: --overlay - and the visual tokens both take stdout\n$/],
    [['tokenize', file('a.png'), '--overlay', file('d.jpg')], /^error: --overlay: .jpg is not .png, .*\n$/],
    [['paint', 'a', '--out', file('d.tiff')], /^error: --out: .tiff is none of .png, .webp, .jpg, .jpeg;.*\n$/],
    [['paint', 'a', '--out', file('d.constructor')], /^error: --out: .constructor is none of .*\n$/]
  ]
  mkdirSync(file('d-3.png'))
  const before = readdirSync(folder)
  for (const [words, told] of cases) {
    t.match(await lavit([...words, '--url', url]), { code: 2, stdout: '', stderr: told }, words.join(' '))
  }
  t.strictSame(app.seen.works, [])
  t.strictSame(readdirSync(folder), before)
  const full = await lavit(['paint', 'a', '--size', '8x8', '--out', '/dev/full', '--url', url])
  t.match(full, { code: 2, stdout: '', stderr: /^error: --out: ENOSPC: .*\n$/ }, 'nor a stack where it fails later')
})

t.test("the format is that of the file's suffix", async t => {
  const { url, file } = await setUp(t)
  const formats: [name: string, words: string[], begin: string][] = [
    ['a.png', [], '89504e47'],
    ['a.webp', [], '52494646'],
    ['a.jpg', [], 'ffd8ff'],
    ['b.JPEG', [], 'ffd8ff'],
    ['plain', [], '89504e47'],
    ['a.bytes', ['--format', 'webp'], '52494646']
  ]
  for (const [name, words, begin] of formats) {
    await lavit(['paint', 'a', '--size', '8x8', '--out', file(name), ...words, '--url', url])
    t.equal(readFileSync(file(name)).toString('hex', 0, begin.length / 2), begin, name)
  }
  const { stdout } = await lavit(['paint', 'a', '--size', '8x8', '--n', '2', '--out', file('c.png'), '--url', url])
  t.equal(stdout, `${file('c-1.png')}\n${file('c-2.png')}\n`)
})

t.test('Ctrl-C ends with 130', async t => {
  const app = await buildTestApp(t, { submit: () => new Promise(() => {}) })
  const url = await app.listen({ port: 0 })
  const interrupt = new AbortController()
  const ended = lavit(['paint', 'a dog', '--url', url], { signal: interrupt.signal })
  while (app.seen.works.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  interrupt.abort()
  t.match(await ended, { code: 130, stdout: '' })
})

t.test('Ctrl-C ends what waits for stdin', async t => {
  const { url, folder } = await setUp(t)
  for (const words of [['caption', '-'], ['paint'], ['bulk', '-', '--out', join(folder, 'out')]]) {
    const signal = AbortSignal.timeout(100)
    t.match(await lavit([...words, '--url', url], { signal, stdin: new PassThrough() }), { code: 130, stdout: '' })
  }
})

t.test('a pipe with a name is a picture', async t => {
  const { url, folder } = await setUp(t)
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  const written = writeFile(pipe, png)
  t.match(await lavit(['caption', pipe, '--url', url]), { code: 0, stdout: 'two cats\n' })
  await written
})

t.test('stdout is data alone', async t => {
  const { url, file, folder } = await setUp(t)
  await t.test('one picture: its text; several: each below its name', async t => {
    t.equal((await lavit(['caption', file('a.png'), '--url', url])).stdout, 'two cats\n')
    const { stdout } = await lavit(['ask', 'how many?', file('b.png'), file('a.png'), '--url', url])
    t.equal(stdout, `${file('b.png')}: two cats\n${file('a.png')}: two cats\n`, 'in the order given')
  })
  await t.test('--json: a line for each, also for what failed', async t => {
    const { code, stdout } = await lavit(['tokenize', folder, '--json', '--url', url])
    t.equal(code, 1)
    const lines = stdout.trimEnd().split('\n').map(line => JSON.parse(line))
    t.match(lines, [
      { input: file('a.png'), visual_tokens: [7, 8, 9] },
      { input: file('b.png'), visual_tokens: [7, 8, 9] },
      { input: file('broken.png'), problem: { status: 422, code: 'image_unreadable' } }
    ])
    const alone = await lavit(['tokenize', file('broken.png'), '--json', '--url', url])
    t.match(alone, { code: 4, stderr: /^error: \S+broken.png: image_unreadable: .+\n$/ })
    t.match(JSON.parse(alone.stdout), { input: file('broken.png'), problem: { status: 422 } }, 'for one alone, too')
  })
  await t.test('a terminal changes colours and brings progress to stderr, nothing else', async t => {
    const words = ['caption', file('a.png'), file('broken.png'), '--url', url]
    const plain = await lavit(words)
    const live = await lavit(words, { isTerminal: true })
    t.ok(live.stdout.includes(styleText('cyan', file('a.png'), { validateStream: false })))
    t.equal(stripVTControlCharacters(live.stdout), plain.stdout)
    t.match(stripVTControlCharacters(live.stderr), /0 of 2/)
    t.equal((await lavit(words, { isTerminal: true, env: { NO_COLOR: '1' } })).stdout, plain.stdout)
    t.equal((await lavit([...words, '--color', 'never'], { isTerminal: true })).stdout, plain.stdout)
    t.equal((await lavit([...words, '--color', 'always'])).stdout, live.stdout)
    const quiet = await lavit([...words, '--quiet'], { isTerminal: true, env: { NO_COLOR: '1' } })
    t.equal(quiet.stderr, plain.stderr, 'errors alone')
  })
  await t.test('a warning of the server is told on stderr, unless quiet', async t => {
    const answer = { captions: [{ text: 'a dog' }], warnings: [{ code: 'outside_domain', detail: 'strange' }] }
    const other = await startOther(t, (_request, response) => response.end(JSON.stringify(answer)))
    const words = ['caption', file('a.png'), '--url', other]
    t.match(await lavit(words), { stdout: 'a dog\n', stderr: `warning: ${file('a.png')}: outside_domain: strange\n` })
    t.match(await lavit([...words, '--quiet']), { stdout: 'a dog\n', stderr: '' })
  })
})

t.test('what is busy is asked again when it says so, and the key goes along', async t => {
  let asked = 0
  const seen: unknown[] = []
  const url = await startOther(t, (request, response) => {
    seen.push(request.headers.authorization)
    if (++asked < 3) {
      response.writeHead(429, { 'retry-after': '0' }).end(JSON.stringify({ code: 'queue_full', detail: 'busy' }))
    } else response.end(JSON.stringify({ captions: [{ text: 'a dog' }] }))
  })
  const { stdout } = await lavit(['caption', '-', '--url', url], { stdin: png, env: { LAVIT_KEY: 'secret' } })
  t.equal(stdout, 'a dog\n')
  t.strictSame(seen, Array(3).fill('Bearer secret'))
})

t.test('a proxy may say by a date when to ask again, and what is no time says nothing', async t => {
  let asked = 0
  let retryAfter = ''
  const url = await startOther(t, (_request, response) => {
    if (++asked > 1) return response.end(JSON.stringify({ captions: [{ text: 'a dog' }] }))
    response.writeHead(503, { 'retry-after': retryAfter }).end(JSON.stringify({ code: 'draining', detail: 'busy' }))
  })
  for (retryAfter of ['0.1', 'Sat, 28 Nov 1998 00:00:00 GMT', new Date(Date.now() + 500).toUTCString()]) {
    asked = 0
    t.match(await lavit(['caption', '-', '--url', url], { stdin: png }), { code: 0, stdout: 'a dog\n' }, retryAfter)
    t.equal(asked, 2)
  }
  for (retryAfter of ['', '-1', '1e-3', '0x1', '2026-11-28', 'soon']) {
    asked = 0
    t.match(await lavit(['caption', '-', '--url', url], { stdin: png }), { code: 4 }, retryAfter || 'empty')
    t.equal(asked, 1)
  }
})

t.test('several are asked about at a time, no more than --in-flight', async t => {
  let now = 0
  let most = 0
  const url = await startOther(t, (_request, response) => {
    most = Math.max(most, ++now)
    setTimeout(() => {
      now--
      response.end(JSON.stringify({ captions: [{ text: 'a dog' }] }))
    }, 20)
  })
  const folder = t.testdir()
  for (let i = 0; i < 9; i++) writeFileSync(join(folder, `${i}.png`), png)
  const { stdout } = await lavit(['caption', folder, '--in-flight', '3', '--url', url])
  t.equal(stdout, Array.from({ length: 9 }, (_, i) => `${join(folder, `${i}.png`)}: a dog\n`).join(''))
  t.equal(most, 3)
})

t.test('pictures are files, folders and globs, in order of name', async t => {
  const { url } = await setUp(t)
  const folder = t.testdir({ 'z.PNG': png, 'notes.txt': 'no', sub: { 'a.jpeg': png, 'b.webp': png }, '[x].png': png })
  const names = async (...words: string[]) =>
    (await lavit(['caption', ...words, '--url', url])).stdout.trimEnd().split('\n').map(line => line.split(': ')[0])
  const at = (...paths: string[]) => paths.map(path => join(folder, path))
  t.strictSame(await names(folder), at('[x].png', 'sub/a.jpeg', 'sub/b.webp', 'z.PNG'))
  t.strictSame(await names(join(folder, '**/*.{webp,jpeg}')), at('sub/a.jpeg', 'sub/b.webp'))
  t.strictSame(await names(...at('z.PNG', '[x].png')), at('z.PNG', '[x].png'), 'a name that looks like a glob')
})

t.test('a prompt can be piped', async t => {
  const { app, url } = await setUp(t)
  await lavit(['ask', '-', '--visual-tokens', '1,2', '--url', url], { stdin: 'how many?\n' })
  await lavit(['caption', '--visual-tokens', '1', '--prompt', '-', '--url', url], { stdin: 'there is' })
  t.match(app.seen.works.map(work => work.task), ['text', 'text'])
  const painted = await lavit(['paint', '--out', '-', '--size', '8x8', '--url', url], { stdin: 'a dog' })
  t.equal(painted.bytes.toString('latin1', 1, 4), 'PNG')
  t.match(await lavit(['paint', '--url', url], { isTerminal: true }), { code: 2 }, 'a terminal pipes nothing')
})

t.test('bench counts what is answered in the time given', async t => {
  const { url, file } = await setUp(t)
  const words = ['bench', file('a.png'), file('b.png'), '--seconds', '1', '--in-flight', '2', '--url', url]
  const result = JSON.parse((await lavit([...words, '--json'])).stdout)
  t.match(result, { job: 'caption', clients: 2, failed: 0 })
  t.ok(result.answers > 0 && result.per_second === result.answers && result.p50_ms <= result.p99_ms)
  t.match(await lavit([...words, '--job', 'paint']), {
    code: 2,
    stderr: /^error: --job: "paint" is not one of caption, tokenize\n$/
  })
})

t.test('models as columns, and one in full', async t => {
  const { url } = await setUp(t)
  t.equal((await lavit(['models', '--url', url])).stdout, 'lavit-mini  1.0.0  ready  cpu  default\n')
  t.match((await lavit(['models', 'lavit-mini', '--url', url])).stdout, /^state +ready$/m)
  t.match(JSON.parse((await lavit(['models', '--json', '--url', url])).stdout), { default: 'lavit-mini' })
})

t.test('serve becomes the server, flags become its variables', async t => {
  const calls: Record<string, string>[] = []
  const serve = async (variables: Record<string, string>) => calls.push(variables)
  t.match(await lavit(['serve', '--port', '0', '--fetch-images', 'https'], { serve }), { code: 0, stderr: '' })
  t.strictSame(calls, [{ PORT: '0', LAVIT_FETCH_IMAGES: 'https' }])
  t.match(await lavit(['serve', '--admin-key', 'x'], { serve }), { code: 2 }, 'no secret in a list of processes')
})

t.test('a picture that is sent is the file, in base64', async t => {
  const bodies: string[] = []
  const url = await startOther(t, (request, response) => {
    request.setEncoding('utf8').on('data', text => bodies.push(text)).on('end', () => response.end('{"captions":[]}'))
  })
  await lavit(['caption', '-', '--top-k', '3', '--url', `${url}/prefix/`], { stdin: png })
  t.strictSame(JSON.parse(bodies.join('')), { top_k: 3, image: base64 })
})
