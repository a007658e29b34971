/**
 * Starts engine processes. None outlives this one: the pipe's end tells them, and what cannot hear is killed on exit.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { extname } from 'node:path'

// Source and build differ in the extension only.
const engineEntry = new URL(`../engine/main${extname(import.meta.url)}`, import.meta.url)
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Forks the engine, or another program that speaks its messages. */
export function startEngineProcess (entry = engineEntry): ChildProcess {
  const child = fork(entry, [], {
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, // the runtime reports each session to its maker otherwise
    execArgv: entry.pathname.endsWith('.ts') ? process.execArgv : [], // TypeScript needs its parent's loaders
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  running.add(child)
  child.on('close', () => running.delete(child))
  child.on('disconnect', () => child.kill('SIGKILL')) // unreachable, whatever it still does
  return child
}
