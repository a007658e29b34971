/**
 * Starts engine processes. None outlives this one: the pipe's end tells them, and what cannot hear is killed on exit.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import type { FromEngine, ToEngine } from './messages.ts'

// Source and build differ in the extension only.
const engineEntry = new URL(`../engine/main${extname(import.meta.url)}`, import.meta.url)
// A small heap of one size, and code that stays compiled however often garbage is collected: what V8 gives back and
// takes anew lies scattered, and the process grows. The engine itself asks for collections.
const heapOptions = ['--expose-gc', '--no-flush-bytecode', '--min-semi-space-size=4', '--max-semi-space-size=4']

export type EngineProcess = ReturnType<typeof startEngineProcess>

const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Forks the engine, or another program that speaks its messages. `onMessage` hears them, `onLine` what it writes to
 * stderr.
 */
export function startEngineProcess ({
  entry = engineEntry,
  environment = {},
  onMessage,
  onLine
}: {
  entry?: URL | undefined
  /** Beside this process's own: which device it sees. */
  environment?: Record<string, string> | undefined
  onMessage: (message: FromEngine) => void
  onLine: (line: string) => void
}) {
  // The runtime works in several threads, one at a time: if each had an arena of its own, what is free would lie in all
  // of them and the process would grow by and by. It reports each session to its maker unless it is told not to.
  const child = fork(entry, [], {
    env: { MALLOC_ARENA_MAX: '1', ...process.env, ...environment, ORT_DISABLE_TELEMETRY: '1' },
    // TypeScript needs its parent's loaders
    execArgv: [...(entry.pathname.endsWith('.ts') ? process.execArgv : []), ...heapOptions],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  running.add(child)
  child.on('close', () => running.delete(child))
  child.on('disconnect', () => child.kill('SIGKILL')) // unreachable, whatever it still does
  child.on('message', onMessage)
  if (child.stderr) createInterface({ input: child.stderr }).on('line', line => onLine(stripVTControlCharacters(line)))

  return {
    pid: child.pid,
    isReachable: () => child.connected,

    /** Why it ended, once it has, after its last message. */
    ended: new Promise<string>(resolve => {
      child.on('error', error => resolve(error.message))
      child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`)) // unlike `exit`, after all messages
    }),

    /** A process that is gone gets nothing; that it is, `ended` tells. */
    send (message: ToEngine): void {
      if (child.connected) child.send(message, () => {})
    },

    kill (): void {
      child.kill('SIGKILL')
    }
  }
}
