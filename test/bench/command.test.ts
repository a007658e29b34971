/** What the benchmark makes of its command line, and what it leaves behind. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readOptions } from '../../bench/options.ts'
import { openRecord } from '../../bench/record.ts'
import { runningServers } from '../../bench/servers.ts'
import { stripTypes } from '../fixtures/strip/node.ts'

const root = join(import.meta.dirname, '../..')
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
  await t.rejects(openRecord(t.testdirName), { code: 'EISDIR' })
})

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
