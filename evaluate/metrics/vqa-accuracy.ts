/** VQA accuracy (Antol et al. 2015): an answer that three people gave is right, one that fewer gave is partly right. */
import { normaliseAnswer, stripOpenings } from './answers.ts'

export type Judgement = { answer: string, accuracy: number, exact: boolean }

/**
 * `accuracy`: min(matching people / 3, 1), averaged over the sets that leave one person out. One person alone cannot be
 * left out, so there it is the exact match. `exact`: equal to the answer most people gave. Both sides are normalised.
 */
export function judgeAnswer (prediction: string, people: string[], commonest: string): Judgement {
  const answer = stripOpenings(normaliseAnswer(prediction))
  const given = people.map(normaliseAnswer)
  const exact = answer === normaliseAnswer(commonest)
  if (given.length === 1) return { answer, accuracy: Number(answer === given[0]), exact }
  const matching = given.filter(other => other === answer).length
  const scores = given.map(left => Math.min(1, (matching - Number(left === answer)) / 3))
  return { answer, accuracy: scores.reduce((sum, score) => sum + score, 0) / scores.length, exact }
}
