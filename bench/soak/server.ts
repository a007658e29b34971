/** The built server under the soak: its log, its gauges, its counts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findFreePort } from '../servers.ts'
import { createTarget, untilReady } from '../target.ts'

const root = join(import.meta.dirname, '../..')
const warning = 40 // level of the log
const engines = 2 // one that is never disturbed, and one that is

/** Lines of the log by message, of warnings and worse. */
export type Lines = Map<string, number>

export type SoakedServer = Awaited<ReturnType<typeof startSoakedServer>>

export async function startSoakedServer () {
  const port = await findFreePort()
  const child = spawn(process.execPath, ['dist/server.js'], {
    cwd: root,
    env: {
      ...process.env,
      NODE_OPTIONS: `--import=${new URL('./collect.mjs', import.meta.url).href}`,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'info',
      LAVIT_ENGINES: String(engines)
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  process.on('exit', () => child.kill('SIGKILL'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
  const { pid } = child
  if (pid === undefined) throw new Error('the server does not start')
  const lines: Lines = new Map()
  const readyAt: number[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    const { level, time, message } = readLine(line)
    if (message === 'model ready') readyAt.push(time)
    if (level < warning) return
    const text = `${level > warning ? 'error' : 'warning'}: ${message}`
    lines.set(text, (lines.get(text) ?? 0) + 1)
  })
  const ended = once(child, 'exit')
  const target = createTarget('soak', `http://127.0.0.1:${port}`, { pid })
  await untilReady(target, () => child.exitCode !== null)
  return {
    pid,
    port,
    target,
    lines,
    /** When engines were ready to work, in milliseconds of the epoch. */
    readyAt,
    isAlive: () => child.exitCode === null && child.signalCode === null,

    /** Metrics by their whole name. */
    async metrics (): Promise<Map<string, number>> {
      const { body } = await target.get('/metrics')
      return new Map(
        body.split('\n').flatMap(line => {
          const [, name, value] = /^(\w+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? []
          return name === undefined ? [] : [[name, Number(value)] as const]
        })
      )
    },

    /** Asks it to end; the exit code. */
    async stop (): Promise<number | null> {
      child.kill('SIGTERM')
      const [code] = await ended
      await target.stop()
      return code
    }
  }
}

function readLine (line: string): { level: number; time: number; message: string } {
  try {
    const { msg: message, level, time } = JSON.parse(line)
    return { level, time, message }
  } catch {
    return { level: warning, time: NaN, message: 'a line that is not JSON' }
  }
}
