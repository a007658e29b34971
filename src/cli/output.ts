/** What is written where: data to stdout; warnings, errors and progress to stderr. */
import type { Writable } from 'node:stream'
import { once } from 'node:events'
import { styleText } from 'node:util'
import type { Io } from './io.ts'
import type { Settings } from './settings.ts'

type Style = Parameters<typeof styleText>[0]

export type Output = ReturnType<typeof createOutput>

export function createOutput (io: Io, { color, quiet }: Pick<Settings, 'color' | 'quiet'>) {
  const { stdout, stderr, env, signal } = io
  const isLive = stderr.isTTY === true && !quiet
  let shown = false

  return {
    /** A line of data. Rejects where Ctrl-C ends the wait for a reader. */
    line: (text: string) => write(stdout, `${text}\n`, signal),
    bytes: (data: Buffer) => write(stdout, data, signal),
    /** A name before data. */
    name: (text: string) => paint(stdout, 'cyan', text),
    warn (text: string) {
      if (quiet) return
      clear()
      stderr.write(`${paint(stderr, 'yellow', 'warning:')} ${text}\n`)
    },
    fail (text: string) {
      clear()
      stderr.write(`${paint(stderr, 'red', 'error:')} ${text}\n`)
    },
    /** The line that says how far things are, in place of the last such line; on a terminal alone. */
    progress (text: string) {
      if (!isLive) return
      stderr.write(`\r\x1b[K${text}`)
      shown = true
    },
    /** A line that stays; for logs, as progress is for terminals. */
    note (text: string) {
      if (!quiet) stderr.write(`${text}\n`)
    },
    clear,
    isLive
  }

  function clear () {
    if (shown) stderr.write('\r\x1b[K')
    shown = false
  }

  function paint (stream: { isTTY?: boolean }, style: Style, text: string) {
    const isColored = color === 'always' || (color === 'auto' && stream.isTTY === true && !env.NO_COLOR)
    return isColored ? styleText(style, text, { validateStream: false }) : text
  }
}

async function write (stream: Writable, data: string | Buffer, signal: AbortSignal) {
  if (!stream.write(data)) await once(stream, 'drain', { signal })
}
