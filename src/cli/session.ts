/** What a command works with: its settings, whom it asks, where it writes. */
import { endingOf, exitCodes } from './endings.ts'
import type { Io } from './io.ts'
import { createOutput, type Output } from './output.ts'
import { openPeer } from './peers/open.ts'
import { askPatiently } from './peers/patience.ts'
import type { Answer, Question } from './peers/peer.ts'
import type { Settings } from './settings.ts'

export type Session = {
  settings: Settings
  io: Io
  output: Output
  /** A good answer. Rejects with an Ending. */
  ask: (question: Omit<Question, 'signal'> & { signal?: AbortSignal }, tries?: number) => Promise<Answer>
}

/** Runs a command with a session; the exit code is the command's, or tells how it failed. */
export async function runSession (settings: Settings, io: Io, command: (session: Session) => Promise<number>) {
  const output = createOutput(io, settings)
  try {
    const peer = await openPeer(settings, io)
    const ask: Session['ask'] = (question, tries) => askPatiently(peer, { signal: io.signal, ...question }, tries)
    try {
      return await command({ settings, io, output, ask })
    } finally {
      await peer.close()
    }
  } catch (error) {
    if (io.signal.aborted) return exitCodes.interrupted
    const ending = endingOf(error)
    if (!ending) throw error
    output.fail(ending.message)
    return ending.exitCode
  } finally {
    output.clear()
  }
}
