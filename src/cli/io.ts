/** What a command touches of its process. */
import { addAbortSignal, type Readable, type Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

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

/** All of stdin. It can be read once. */
export async function readStdin ({ stdin, signal }: Io): Promise<Buffer> {
  return buffer(addAbortSignal(signal, stdin))
}

/** The text given, or that of stdin where it is `-`. */
export async function readText (text: string, io: Io): Promise<string> {
  return text === '-' ? (await readStdin(io)).toString('utf8').trim() : text
}
