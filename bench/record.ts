/** Where it ran, and every request, as lines of JSON in a folder of results. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeFolder } from '../src/bulk/files.ts'

export type Head = Awaited<ReturnType<typeof readHead>>

/** The machine and the commit; nothing that names its user. */
export async function readHead (arguments_: string[]) {
  return {
    date: new Date().toISOString().slice(0, 19) + 'Z',
    commit: await readCommit(),
    arguments: arguments_.join(' '),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    loadAverage: loads()
  }
}

export type Record = ReturnType<typeof openRecord>

/** Opens `requests.jsonl` in a folder, which is made. What is written stands there, however the process ends. */
export function openRecord (folder: string) {
  makeFolder(folder)
  const file = openSync(join(folder, 'requests.jsonl'), 'w')
  return {
    write (line: object) {
      writeSync(file, `${JSON.stringify(line)}\n`)
    },
    close: () => closeSync(file)
  }
}

/** Of one, five and fifteen minutes. */
export function loads (): string {
  return loadavg()
    .map(load => load.toFixed(1))
    .join(', ')
}

async function readCommit (): Promise<string> {
  const git = (...words: string[]) => promisify(execFile)('git', words, { cwd: import.meta.dirname })
  try {
    const { stdout: commit } = await git('rev-parse', '--short', 'HEAD')
    const { stdout: changes } = await git('status', '--porcelain', '--untracked-files=no')
    return commit.trim() + (changes === '' ? '' : ' with changes')
  } catch {
    return 'unknown'
  }
}
