import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { follow, start, type Environment } from './fixtures/server-process.ts'

/** Runs the server to its end. */
async function outcome (environment: Environment) {
  const child = start({ LOG_LEVEL: 'silent', ...environment })
  const [stderr, stdout, [exitCode]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'close')])
  return { exitCode, stderr, stdout }
}

t.test('a configuration that cannot work ends the process with one line and exit code 78', async t => {
  const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
  const folder = t.testdir({ 'lavit-mini': { 'manifest.json': '{}' }, 'key.pem': key })
  const cases: [environment: Environment, line: RegExp][] = [
    [{ PORT: 'abc' }, /^PORT="abc" is not allowed; allowed is a whole number from 0 to 65535$/],
    [{ LAVIT_KEYS_FILE: '/nope' }, /^LAVIT_KEYS_FILE="\/nope" cannot be used: it cannot be read \(ENOENT\)$/],
    [{ LAVIT_PACKAGE_KEYS: '/nope' }, /^LAVIT_PACKAGE_KEYS="\/nope" cannot be used: it cannot be read \(ENOENT\)$/],
    [{ LAVIT_PACKAGE_KEYS: `${folder}/key.pem` }, /^LAVIT_MODEL="lavit-mini" .*manifest\.json\.sig: missing$/],
    [{ LAVIT_MODELS: folder }, /^LAVIT_MODEL="lavit-mini" cannot be served on LAVIT_DEVICE="cpu": .*manifest\.json: /],
    [{ LAVIT_DEVICE: 'cuda' }, /^LAVIT_DEVICE="cuda" is not allowed; allowed is .*; cuda is none: .* by webgpu/]
  ]
  for (const [environment, line] of cases) {
    t.test(Object.keys(environment).join(), async t => {
      const { exitCode, stderr, stdout } = await outcome(environment)
      t.equal(exitCode, 78)
      t.match(stderr, /^[^\n]+\n$/, 'one line')
      t.match(stderr.trimEnd(), line)
      t.equal(stdout, '')
    })
  }
})

t.test('a port in use ends the process with one line and exit code 1', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  t.strictSame(await outcome({ PORT: String(port) }), {
    exitCode: 1,
    stdout: '',
    stderr: `PORT=${port} is in use on 127.0.0.1; allowed is a free port, or 0 to take one\n`
  })
  const { exitCode, stderr } = await outcome({ PORT: String(port), LAVIT_METRICS_PORT: String(port) })
  t.equal(exitCode, 1)
  t.match(stderr, /^PORT=\d+ is in use .*\nLAVIT_METRICS_PORT=\d+ is in use .*\n$/, 'both at once')
})

t.test('with empty variables it serves on the loopback address, and SIGTERM ends it with exit code 0', async t => {
  const names = [
    'HOST',
    'LAVIT_MODELS',
    'LAVIT_MODEL',
    'LAVIT_DEVICE',
    'LAVIT_THREADS',
    'LAVIT_SLOTS',
    'LAVIT_GRACE_MS',
    'LAVIT_IMAGE_FORMATS',
    'LAVIT_ADMIN_KEY',
    'LOG_LEVEL'
  ]
  const child = start({ ...Object.fromEntries(names.map(name => [name, ''])), LAVIT_THREAD: '1' })
  const log = follow(child)
  t.match((await log.until(/listening/)).msg, /http:\/\/127\.0\.0\.1:\d+$/)
  const ready = await log.until(/model ready/)
  t.ok(typeof ready.enginePid === 'number' && ready.enginePid !== child.pid)
  t.match(log.lines[0], { level: 40, msg: 'LAVIT_THREAD is no variable of this server; the nearest is LAVIT_THREADS' })
  t.equal(log.lines.filter(({ msg }) => /listening/.test(msg)).length, 1, 'one address')
  for (const line of log.written) {
    const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key)
    t.strictSame(keys, [...new Set(keys)], 'no key twice')
  }
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'close'), [0, null])
})

t.test('signals while work runs', async t => {
  /** A server that is asked for a picture, and told to stop once it works on it. */
  async function stopAtWork (environment: Environment) {
    const child = start(environment)
    const log = follow(child)
    const { msg } = await log.until(/listening/)
    await log.until(/model ready/)
    const answer = fetch(`${/http:\S+/.exec(msg)?.[0]}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a dog', n: 4, seed: 1 })
    }).then(
      response => response.status,
      () => 'cut off'
    )
    await log.until(/incoming request/)
    return { child, log, answer, ended: once(child, 'close') }
  }

  t.test('work that runs is answered, also where a signal arrives from the terminal and from npm', async t => {
    const { child, answer, ended } = await stopAtWork({ npm_lifecycle_event: 'start' })
    child.kill('SIGINT')
    child.kill('SIGINT')
    t.equal(await answer, 200)
    t.strictSame(await ended, [0, null])
  })

  t.test('a second signal ends the process at once', async t => {
    const { child, log, answer, ended } = await stopAtWork({ LAVIT_GRACE_MS: '600000' })
    child.kill('SIGTERM')
    await log.until(/closing/)
    child.kill('SIGINT')
    t.strictSame(await ended, [1, null])
    t.equal(await answer, 'cut off')
  })
})
