/** What the benchmark makes of its command line, and what it leaves behind. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { readOptions } from '../../bench/options.ts'
import { openRecord } from '../../bench/record.ts'
import { runningServers } from '../../bench/servers.ts'
import { stripTypes } from '../fixtures/strip/node.ts'

const root = join(import.meta.dirname, '../..')
const pictures = 12 // that the benchmark asks about, each alone at first
const env = { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' } // all of the benchmark is loaded, and not run

t.test('figures that count are whole, and lists name something', async t => {
  t.match(readOptions(['--clients', '1,4', '--kept', '4,any', '--seconds', '0.5']), {
    clients: [1, 4],
    kept: [4, undefined],
    duration: { seconds: 0.5 }
  })
  for (const [words, message] of [
    [['--clients', '2.5'], /2.5 is no whole number above 0/],
    [['--rounds', '1.5'], /1.5 is no whole number above 0/],
    [['--memory', 'Infinity'], /Infinity is no whole number above 0/],
    [['--seconds', 'Infinity'], /Infinity is no number above 0/],
    [['--jobs', ''], /--jobs names nothing/],
    [['--clients', ','], /--clients names nothing/],
    [['--jobs', 'sing'], /sing is no job/]
  ] as const) {
    t.throws(() => readOptions([...words]), { message })
  }
})

t.test('--help of the benchmark and of the soak is no error', async t => {
  for (const file of ['bench/main.ts', 'bench/soak/main.ts']) {
    const words = [...stripTypes, file, '--help']
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { cwd: root, env })
    t.match(stdout, /^npm run \w+ -- \[options\]/)
    t.equal(stderr, '')
  }
})

t.test('a server that is none is told at once', async t => {
  const server = createServer((_, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await t.rejects(runningServers('a=nonsense'), { message: /^a: "nonsense" is no address such as http/ })
  await t.rejects(runningServers(`a=${url},a=${url}`), { message: 'two of --servers are called a' })
  await t.rejects(runningServers(`a=${url}`), { message: `a: ${url}/health/ready answers 404` })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  await t.rejects(runningServers(`a=${url}`), { message: `a: ${url} does not answer (ECONNREFUSED)` })
  await t.rejects(runningServers(`a=${url.replace('http', 'https')}`), { message: /does not answer \(ECONNREFUSED\)/ })
})

t.test('results that cannot be written are told before the work', async t => {
  t.testdir({ 'requests.jsonl': {} })
  t.throws(() => openRecord(t.testdirName), { code: 'EISDIR' })
  t.throws(() => openRecord('/proc/nope'), { code: 'ENOENT' })
})

t.test('a server that answers nothing under load fails the benchmark', async t => {
  let asked = 0
  const url = await startPeer(t, (_, response) => {
    if (++asked > pictures) response.writeHead(429)
    response.end('{"captions":[{"text":"a dog"}]}')
  })
  const bench = startBench(t, url, '--rounds', '1')
  const [stdout, [code]] = await Promise.all([text(bench.stdout), once(bench, 'close')])
  t.equal(code, 1)
  t.match(stdout, /^it: none of [1-9]\d* requests of caption, 1 at once was answered$/m)
  t.notMatch(stdout, /Cut off/)
})

t.test('Ctrl-C and SIGTERM leave a report of the rounds that were measured', async t => {
  const url = await startPeer(t, (_, response) => response.end('{"captions":[{"text":"a dog"}]}'))
  for (const [signal, wanted] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    await t.test(signal, async t => {
      const bench = startBench(t, url, '--rounds', '1000')
      const written = text(bench.stdout)
      const requests = join(t.testdirName, 'requests.jsonl')
      const hasRounds = () => existsSync(requests) && readFileSync(requests, 'utf8').includes('"round":1,')
      while (!hasRounds()) await new Promise(resolve => setTimeout(resolve, 50))
      bench.kill(signal)
      t.strictSame(await once(bench, 'close'), [wanted, null])
      const report = readFileSync(join(t.testdirName, 'report.md'), 'utf8')
      t.match(report, new RegExp(`^\\*\\*Cut off\\*\\* by ${signal}: `, 'm'))
      t.match(report, /^\| caption \| any \| 1 clients \| [\d.]+ /m)
      t.match(await written, report.trim().split('\n').at(-1))
    })
  }
})

t.test('an error in the midst leaves a report, too', async t => {
  let asked = 0
  const url = await startPeer(t, (_, response) => {
    if (++asked > pictures + 20) response.destroy()
    else response.end('{"captions":[{"text":"a dog"}]}')
  })
  const bench = startBench(t, url, '--rounds', '1')
  const [stderr, [code]] = await Promise.all([text(bench.stderr), once(bench, 'close')])
  t.equal(code, 1)
  t.match(stderr, /^it no longer answers$/m)
  t.match(readFileSync(join(t.testdirName, 'report.md'), 'utf8'), /Cut off\*\* by an error/)
})

/** Something that is ready, and answers its jobs as `listener` does; gives its address. */
async function startPeer (t: Test, listener: RequestListener) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => (request.method === 'GET' ? response.end() : listener(request, response)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Captions by one client; results go into the test's folder. */
function startBench (t: Test, url: string, ...words: string[]) {
  const short = ['--jobs', 'caption', '--clients', '1', '--seconds', '0.2', '--warm-up', '0.05', '--out', t.testdir()]
  const all = [...stripTypes, 'bench/main.ts', '--servers', `it=${url}`, ...short, ...words]
  const bench = spawn(process.execPath, all, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => bench.kill('SIGKILL'))
  return bench
}

t.test('a server that was started ends with the process that started it', async t => {
  t.testdir({
    'child.cjs': 'require(\'node:http\').createServer((_, r) => r.end()).listen(process.env.PORT, \'127.0.0.1\')',
    'parent.ts': `import { startProcess } from '${join(root, 'bench/servers.ts')}'
      console.log((await startProcess('child', [process.execPath, '${join(t.testdirName, 'child.cjs')}'])).pid)`
  })
  const parent = spawn(process.execPath, [...stripTypes, join(t.testdirName, 'parent.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [pid] = await once(parent.stdout, 'data')
  parent.kill('SIGTERM')
  const [code] = await once(parent, 'exit')
  t.equal(code, 143)
  const isAlive = () => {
    try {
      return process.kill(Number(pid), 0)
    } catch {
      return false
    }
  }
  for (let i = 0; i < 100 && isAlive(); i++) await new Promise(resolve => setTimeout(resolve, 50))
  const isLeft = isAlive()
  if (isLeft) process.kill(Number(pid))
  t.notOk(isLeft)
})
