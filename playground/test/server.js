/** Servers that are built, started and ended for the test, and a proxy that puts a path before one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'

const root = fileURLToPath(new URL('../..', import.meta.url))
const running = new Set()
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')))

/** With `held` its engine is stopped before the model is ready, until `go`. */
export async function startServer ({ port, held = false, environment = {} }) {
  const env = { ...process.env, PORT: String(port), LOG_LEVEL: 'error', LAVIT_ENGINES: '1', ...environment }
  const child = spawn(process.execPath, ['dist/server.js'], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  running.add(child)
  const ended = once(child, 'exit').then(() => running.delete(child))
  const engine = held ? await engineOf(child.pid) : undefined
  if (engine) process.kill(engine, 'SIGSTOP')
  const base = `http://127.0.0.1:${port}/`
  await until(async () => (await fetch(base + (held ? 'health/live' : 'health/ready'))).ok)
  return {
    base,
    go: () => process.kill(engine, 'SIGCONT'),
    async end (signal = 'SIGKILL') {
      child.kill(signal)
      await ended
    }
  }
}

/** The first child process that runs an engine. */
async function engineOf (parent) {
  for (let tries = 0; tries < 4000; tries++) {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      try {
        const isChild = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[1]) === parent
        if (isChild && /engine\/main/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return Number(pid)
      } catch {} // it has ended
    }
    await pause(5)
  }
  throw new Error('no engine was started')
}

export async function until (holds, ms = 60_000) {
  const end = performance.now() + ms
  while (!(await Promise.resolve().then(holds).catch(() => false))) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${holds}`)
    await pause(50)
  }
}

/** `http://…/prefix/x` answers what `base` answers for `/x`, and nothing else. */
export async function startProxy (base, prefix) {
  const proxy = createServer((incoming, outgoing) => {
    if (!incoming.url.startsWith(prefix)) return outgoing.writeHead(404).end()
    const url = new URL(incoming.url.slice(prefix.length), base)
    const options = { method: incoming.method, headers: incoming.headers }
    incoming.pipe(request(url, options, answer => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    }))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return { base: `http://127.0.0.1:${proxy.address().port}${prefix}`, end: () => proxy.close() }
}
