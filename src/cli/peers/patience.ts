/** Waits as long as a busy server asks for, and asks again. */
import { setTimeout as pause } from 'node:timers/promises'
import { Refusal } from '../endings.ts'
import { checkAnswer, type Answer, type Peer, type Question } from './peer.ts'

const longestWaitSeconds = 60

/** A good answer; what is refused with `Retry-After` is asked up to `tries` times. Rejects with an Ending. */
export async function askPatiently (peer: Peer, question: Question, tries = 8): Promise<Answer> {
  for (let left = tries - 1; ; left--) {
    try {
      return checkAnswer(await peer.ask(question))
    } catch (error) {
      if (left <= 0 || !(error instanceof Refusal) || error.retryAfterSeconds === undefined) throw error
      await pause(1000 * Math.min(error.retryAfterSeconds, longestWaitSeconds), undefined, { signal: question.signal })
    }
  }
}
