/** What a command touches of its process. */
import { addAbortSignal, type Readable, type Writable } from 'node:stream'
import { wrongUsage } from './endings.ts'

type Terminal = { isTTY?: boolean }

export type Io = {
  env: Record<string, string | undefined>
  stdin: Readable & Terminal
  stdout: Writable & Terminal
  stderr: Writable & Terminal
  /** Aborts when the user presses Ctrl-C. */
  signal: AbortSignal
  /** Becomes the server, with these variables beside those of the environment. */
  serve: (variables: Record<string, string>) => Promise<unknown>
}

/** More than any server can be told to take. */
export const mostBytes = 268_435_456

/** All of stdin, which can be read once. Rejects with an Ending where it is more than any server takes. */
export async function readStdin ({ stdin, signal }: Pick<Io, 'stdin' | 'signal'>): Promise<Buffer> {
  const read: Buffer[] = []
  let bytes = 0
  for await (const part of addAbortSignal(signal, stdin)) {
    read.push(Buffer.from(part))
    bytes += part.length
    if (bytes > mostBytes) throw wrongUsage(`stdin has more than ${mostBytes} bytes`)
  }
  return Buffer.concat(read)
}

/** The text given, or that of stdin where it is `-`. */
export async function readText (text: string, io: Io): Promise<string> {
  return text === '-' ? (await readStdin(io)).toString('utf8').trim() : text
}
