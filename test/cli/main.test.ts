/** `lavit` as a process of its own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { buildTestApp, png } from '../helper.ts'
import { stripTypes } from '../fixtures/strip/node.ts'

const root = join(import.meta.dirname, '../..')

function start (...words: string[]) {
  const { PATH } = process.env
  return spawn(process.execPath, [...stripTypes, 'src/cli/main.ts', ...words], {
    cwd: root,
    env: { PATH, HOME: '/nowhere', LOG_LEVEL: 'info' }
  })
}

/** Its stdout is a file. */
function startInto (file: number, ...words: string[]) {
  const { PATH } = process.env
  return spawn(process.execPath, [...stripTypes, 'src/cli/main.ts', ...words], {
    cwd: root,
    env: { PATH, HOME: '/nowhere' },
    stdio: ['ignore', file, 'pipe']
  })
}

t.test('what is piped in is asked about', async t => {
  const app = await buildTestApp(t)
  const lavit = start('caption', '-', '--url', await app.listen({ port: 0 }))
  lavit.stdin.end(png)
  const [stdout, stderr, [code]] = await Promise.all([text(lavit.stdout), text(lavit.stderr), once(lavit, 'close')])
  t.strictSame({ stdout, stderr, code }, { stdout: 'two cats\n', stderr: '', code: 0 })
})

t.test('Ctrl-C ends it with 130', async t => {
  const app = await buildTestApp(t, { submit: () => new Promise(() => {}) })
  const lavit = start('paint', 'a dog', '--url', await app.listen({ port: 0 }))
  while (app.seen.works.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  lavit.kill('SIGINT')
  t.strictSame(await once(lavit, 'close'), [130, null])
})

t.test('Ctrl-C ends it while nobody reads what it writes', async t => {
  const full = join(t.testdir(), 'full')
  spawnSync('mkfifo', [full])
  const file = openSync(full, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(file))
  t.throws(() => {
    for (;;) writeSync(file, Buffer.alloc(4096))
  }, { code: 'EAGAIN' })
  for (const length of [1e6, 10]) { // of which the second is written when the command itself is over
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ captions: [{ text: 'x'.repeat(length) }] }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    const words = ['caption', 'package.json', '--url', `http://127.0.0.1:${port}`]
    const lavit = startInto(file, ...words)
    t.teardown(() => lavit.kill('SIGKILL'))
    await once(server, 'request')
    await new Promise(resolve => setTimeout(resolve, 500))
    t.equal(lavit.exitCode, null)
    lavit.kill('SIGINT')
    t.strictSame(await once(lavit, 'close'), [130, null])
  }
})

t.test('SIGTERM ends it with 143, and a worker of bulk gives its shard back without a death', async t => {
  const app = await buildTestApp(t, { submit: () => new Promise(() => {}) })
  const folder = t.testdir({ 'a.png': png })
  const words = [folder, '--out', join(folder, 'out'), '--do', 'caption', '--url', await app.listen({ port: 0 })]
  const lavit = start('bulk', ...words)
  while (app.seen.works.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  lavit.kill('SIGTERM')
  t.strictSame(await once(lavit, 'close'), [143, null])
  t.match(JSON.parse(readFileSync(join(folder, 'out/leases/00000.0'), 'utf8')), { deaths: 0, isFree: true })
})

t.test('a reader that has seen enough ends it without a word', async t => {
  const app = await buildTestApp(t)
  const lavit = start('models', '--url', await app.listen({ port: 0 }))
  lavit.stdout.destroy()
  const [stderr, [code]] = await Promise.all([text(lavit.stderr), once(lavit, 'close')])
  t.strictSame({ stderr, code }, { stderr: '', code: 0 })
})

t.test('an output that takes no more is told', async t => {
  const app = await buildTestApp(t)
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const url = await app.listen({ port: 0 })
  for (const words of [['models', '--url', url], ['paint', 'a', '--out', '-', '--url', url], ['--help']]) {
    const lavit = startInto(full, ...words)
    const [stderr, [code]] = await Promise.all([text(lavit.stderr!), once(lavit, 'close')])
    t.match({ stderr, code }, { stderr: /^error: stdout: ENOSPC: .*\n$/, code: 2 }, words.join(' '))
  }
})

t.test('serve serves, and ends as the server does', async t => {
  const lavit = start('serve', '--port', '0')
  const ended = once(lavit, 'close')
  for await (const line of createInterface({ input: lavit.stdout })) {
    const url = /http:\S+\d/.exec(JSON.parse(line).msg)?.[0]
    if (url !== undefined) {
      t.equal((await fetch(`${url}/health/live`)).status, 200)
      lavit.kill('SIGINT')
    }
  }
  t.strictSame(await ended, [0, null])
})

t.test('a shell is told how to complete words, and which', async t => {
  const script = start('completion', 'bash')
  const [words, [code]] = await Promise.all([text(script.stdout), once(script, 'close')])
  t.equal(code, 0)
  t.match(words, /complete .*lavit/)
  const asked = start('complete', '--', 'caption', '--num')
  t.match(await text(asked.stdout), /^--num-beams\t/m)
})
