// Sets nginx, with the blocks of docs/guides/proxy.md, before two servers, and replaces one after the other while
// clients ask without pause: `node .ci/proxy.js [ROUNDS]`, in a checkout that is built. Lines `ok` and `not ok`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const rounds = Number(process.argv[2] ?? 1)
const clients = 16
const prefix = '/lavit'
const scratch = mkdtempSync(join(tmpdir(), 'lavit-proxy-'))
const picture = readFileSync('test/fixtures/scene.png')
const processes = new Set()
let count = 0

process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const [proxyPort, ...ports] = await freePorts(3)
let servers = await Promise.all(ports.map(startServer))
const proxy = await startProxy()
const url = `http://127.0.0.1:${proxyPort}${prefix}`

const page = await fetch(`${url}/`)
report(page.ok && (await page.text()).includes('<html'), 'the page below a path prefix')
const reader = (await send('caption', { stream: true })).body.pipeThrough(new TextDecoderStream()).getReader()
report(!(await reader.read()).value.includes('event: done'), 'a stream that begins before it is done')
await reader.cancel()

const endings = { caption: 0, vqa: 0, tokenize: 0, generate: 0, streams: 0 }
const failures = []
const times = []
const end = new AbortController()
const load = Array.from({ length: clients }, async (_, i) => {
  for (let turn = i; !end.signal.aborted; turn += clients) await ask(turn)
})

const exits = []
for (let round = 0; round < rounds; round++) {
  for (const i of servers.keys()) {
    await pause(1000)
    const ended = once(servers[i], 'exit')
    servers[i].kill('SIGTERM')
    exits.push((await ended)[0])
    servers = servers.with(i, await startServer(ports[i]))
  }
}
await pause(1000)
end.abort()
await Promise.all(load)

const told = Object.entries(endings).map(([name, number]) => `${number} ${name}`).join(', ')
report(Math.min(...Object.values(endings)) > 0, `every kind was asked: ${told}`)
report(exits.every(code => code === 0), `${exits.length} servers were told to stop, and ended with ${exits}`)
times.sort((a, b) => a - b)
report(
  failures.length === 0,
  `${times.length} requests while servers were replaced, ${failures.length} failed; ` +
    `slowest ${Math.round(times.at(-1))} ms, median ${Math.round(times[times.length >> 1])} ms`,
  failures.slice(0, 10).join('\n')
)
const stopped = once(proxy, 'exit')
proxy.kill('SIGQUIT')
await stopped
process.exit()

/** One request of those that take turns, a third of them streams. */
async function ask (turn) {
  const name = ['caption', 'vqa', 'tokenize', 'generate'][turn % 4]
  const stream = name !== 'tokenize' && turn % 3 === 0
  const began = performance.now()
  try {
    const text = await read(name, { seed: turn, ...(stream ? { stream } : {}) })
    if (stream && !/^event: done$/m.test(text)) throw new Error(`a stream without its end: ${text.slice(-300)}`)
    endings[stream ? 'streams' : name]++
  } catch (error) {
    failures.push(`/${name}: ${error.message} ${error.cause ?? ''}`)
  }
  times.push(performance.now() - began)
}

/** The answer's text; fails unless its status is 200. */
async function read (name, options) {
  const response = await send(name, options)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${text.slice(0, 300)}`)
  return text
}

function send (name, options) {
  const question = name === 'vqa' ? { question: 'how many objects are there?' } : {}
  const [query, body, type] =
    name === 'generate'
      ? ['', JSON.stringify({ prompt: 'a dog', ...options }), 'application/json']
      : [`?${new URLSearchParams({ ...question, ...options })}`, picture, 'image/png']
  return fetch(`${url}/${name}${query}`, { method: 'POST', headers: { 'content-type': type }, body })
}

/** A server that is ready. */
async function startServer (port) {
  const settings = { PORT: String(port), LOG_LEVEL: 'error', LAVIT_CLIENT_SHARE: '1', LAVIT_GRACE_MS: '60000' }
  const env = { ...process.env, ...settings }
  const child = watch(spawn(process.execPath, ['dist/server.js'], { env, stdio: 'inherit' }))
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health/ready`).then(
      answer => answer.ok,
      () => false
    )
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`a server ended with ${child.exitCode}`)
    await pause(100)
  }
  return child
}

/** The guide's blocks: the location, the servers, and what is said beside the first for several of them. */
async function startProxy () {
  const guide = readFileSync('docs/guides/proxy.md', 'utf8')
  const [location, upstream, beside] = [...guide.matchAll(/^```nginx\n([^]*?)^```$/gm)].map(([, block]) => block)
  const within = location
    .replace(/proxy_pass \S+;/, 'proxy_pass http://lavit/;')
    .replace(/\}\s*$/, `${beside}}\n`)
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const folders = kinds.map(kind => `${kind}_temp_path ${scratch}/${kind};`).join('\n')
  mkdirSync(join(scratch, 'logs'))
  const file = join(scratch, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; pid ${scratch}/pid; error_log ${scratch}/logs/error.log warn;
events { worker_connections 512; }
http {
access_log off;
${folders}
${upstream.replace(':8080', `:${ports[0]}`).replace(':8081', `:${ports[1]}`)}
server { listen 127.0.0.1:${proxyPort};
${within}
}
}
`
  )
  const child = watch(spawn('nginx', ['-p', scratch, '-c', file], { stdio: 'inherit' }))
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
    if (await fetch(`http://127.0.0.1:${proxyPort}/`).catch(() => false)) return child
    await pause(50)
  }
  throw new Error('nginx does not answer')
}

function watch (child) {
  processes.add(child)
  child.once('exit', () => processes.delete(child))
  return child
}

async function freePorts (number) {
  const probes = Array.from({ length: number }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(probes.map(probe => once(probe, 'listening')))
  const found = probes.map(probe => probe.address().port)
  for (const probe of probes) probe.close()
  return found
}

function report (passed, name, detail = '') {
  console.log(`${passed ? 'ok' : 'not ok'} ${++count} - proxy: ${name}`)
  if (passed) return
  process.exitCode = 1
  console.log(detail.trim().replace(/^/gm, '# '))
}
