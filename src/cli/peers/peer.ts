/** Whoever answers: a server over HTTP, or the model in this process. */
import { Refusal, serverAway, type Problem } from '../endings.ts'
import { retryAfterOf } from '../../bulk/retry-after.ts'

/** A question to a route; `body` makes it a POST of JSON, `onEvent` has it streamed. */
export type Question = { path: string; body?: unknown; accept?: string; signal: AbortSignal; onEvent?: OnEvent }
export type OnEvent = (name: string, data: Record<string, unknown>) => void
export type Answer = { status: number; header: (name: string) => string | undefined; body: Buffer }

export type Peer = {
  ask: (question: Question) => Promise<Answer>
  close: () => Promise<unknown>
}

/** The answer, or what it was refused for. Throws an Ending where no LaVIT server said it. */
export function checkAnswer (answer: Answer): Answer {
  const { status, header, body } = answer
  const isGood = status >= 200 && status < 300
  const type = header('content-type')
  if (isGood && (type === undefined || /^(application\/(.+\+)?json|image\/)/i.test(type))) return answer
  if (isGood) throw serverAway(`the server answered with ${type}, and not as a LaVIT server does`)
  const problem = readProblem(status, body)
  if (problem === undefined) throw serverAway(`the server answered ${status}, and not as a LaVIT server does`)
  const wasBegun = header('x-queue-position') !== undefined
  throw new Refusal(problem, retryAfterOf(header('retry-after')), wasBegun)
}

function readProblem (status: number, body: Buffer): Problem | undefined {
  try {
    const { code, detail, ...rest }: Partial<Problem> = JSON.parse(body.toString('utf8'))
    return typeof code === 'string' && typeof detail === 'string' ? { ...rest, status, code, detail } : undefined
  } catch {
    return undefined
  }
}
