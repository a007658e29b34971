/** The built server, started for the benchmark, and servers that run already. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createTarget, untilReady, type Target } from './target.ts'

const root = join(import.meta.dirname, '..')

/**
 * Starts the built server on a free port; the environment's `LAVIT_` variables hold. Every picture is new to it, unless
 * it may keep so many MiB of encodings.
 */
export function startServer (keptMiB = 0): Promise<Target> {
  const environment = { LOG_LEVEL: 'warn', LAVIT_IMAGE_CACHE_MB: String(keptMiB), LAVIT_CLIENT_SHARE: '1' }
  return startProcess('lavit', [process.execPath, 'dist/server.js'], environment)
}

/** Starts a server that listens on the `PORT` it is told, and waits until it is ready. */
export async function startProcess (
  name: string,
  [program = '', ...words]: string[],
  environment: { [name: string]: string } = {}
): Promise<Target> {
  const port = await findFreePort()
  const child = spawn(program, words, {
    cwd: root,
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), ...environment },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  endTogether(child)
  const ended = new Promise<boolean>(resolve => {
    child.on('error', () => resolve(true))
    child.on('exit', () => resolve(true))
  })
  let hasEnded = false
  ended.then(() => { hasEnded = true })
  const target = createTarget(name, `http://127.0.0.1:${port}`, {
    pid: child.pid,
    async stop () {
      child.kill('SIGTERM')
      await ended
    }
  })
  try {
    await untilReady(target, () => hasEnded)
  } catch (error) {
    await target.stop()
    throw error
  }
  return target
}

/** Those of `name=url,name=url`. */
export async function runningServers (list: string): Promise<Target[]> {
  const targets = list.split(',').map(pair => {
    const at = pair.indexOf('=')
    const key = process.env.LAVIT_KEY?.trim()
    return createTarget(pair.slice(0, Math.max(at, 0)) || pair, pair.slice(at + 1), { key })
  })
  const double = targets.find(({ name }, i) => targets.slice(0, i).some(other => other.name === name))
  if (double) throw new Error(`two of --servers are called ${double.name}`)
  for (const target of targets) {
    await checkServer(target)
    await untilReady(target)
  }
  return targets
}

/** Throws at once where waiting is of no use: no address, nobody there, or somebody else. */
async function checkServer ({ name, url, get }: Target): Promise<void> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error(`${name}: "${url}" is no address such as http://127.0.0.1:8080`)
  }
  const { status } = await get('/health/ready').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`${name}: ${url} does not answer (${cause.code ?? cause.message})`, { cause })
  })
  if (status !== 200 && status !== 503) throw new Error(`${name}: ${url}/health/ready answers ${status}`)
}

/** The child is ended with this process, by an error or a signal too. */
function endTogether (child: ChildProcess): void {
  const end = () => { child.kill('SIGTERM') }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const leave = (_: string, number: number) => process.exit(128 + number)
  process.once('exit', end)
  for (const signal of signals) process.once(signal, leave)
  child.once('exit', () => {
    process.off('exit', end)
    for (const signal of signals) process.off(signal, leave)
  })
}

export async function findFreePort (): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
