/** One pass over pictures: each is asked about, its answer written, its failure told. */
import { inOrder } from '../bulk/in-order.ts'
import { exitCodes, Refusal } from './endings.ts'
import type { Answer } from './peers/peer.ts'
import type { Picture } from './pictures.ts'
import type { Session } from './session.ts'

type PictureAnswer = { warnings?: { code: string; detail: string }[] }
type Body = Record<string, unknown>
type Outcome = { name: string; body: Body; answer: Answer } | { name: string; error: unknown }

/**
 * Writes what was answered about each: the answer as JSON, or what `tell` makes of it, each line below the name where
 * there are several. The exit code says whether any was refused; one that alone was asked about rejects with its
 * Ending unless JSON tells it, and so does a server that is away.
 */
export async function askAboutEach<A extends PictureAnswer> (
  { settings, output, ask }: Session,
  pictures: Picture[],
  request: { path: string; body: Body; read: (body: Buffer) => A },
  tell: (answer: A, body: Body) => Promise<string[]> | string[]
): Promise<number> {
  const isAlone = pictures.length === 1
  let done = 0
  let failed = 0
  const work = async ({ name, fields }: Picture): Promise<Outcome> => {
    try {
      const body = { ...request.body, ...(await fields()) }
      return { name, body, answer: await ask({ path: request.path, body }) }
    } catch (error) {
      return { name, error }
    }
  }
  output.progress(`0 of ${pictures.length}`)
  for await (const outcome of inOrder(pictures, settings.inFlight, work)) {
    const { name } = outcome
    if ('error' in outcome) {
      const { error } = outcome
      if (!(error instanceof Refusal) || (isAlone && !settings.json)) throw error
      failed++
      output.fail(`${name}: ${error.message}`)
      if (settings.json) await output.line(JSON.stringify({ input: name, problem: error.problem }))
    } else {
      const text = outcome.answer.body.toString('utf8')
      const answer = request.read(outcome.answer.body)
      for (const { code, detail } of answer.warnings ?? []) output.warn(`${name}: ${code}: ${detail}`)
      const lines = await tell(answer, outcome.body)
      output.clear()
      if (settings.json) await output.line(withInput(name, text))
      else for (const line of lines) await output.line(isAlone ? line : `${output.name(name)}: ${line}`)
    }
    output.progress(`${++done} of ${pictures.length}${failed > 0 ? `, ${failed} failed` : ''}`)
  }
  return endOf(failed, pictures.length)
}

/** The exit code of so many failures. */
export function endOf (failed: number, all: number): number {
  if (failed === 0) return exitCodes.ok
  return failed === all ? exitCodes.refused : exitCodes.someFailed
}

/** The answer's own bytes, with the name of what was asked about before them. */
export function withInput (name: string, text: string): string {
  return `{"input":${JSON.stringify(name)},${text.slice(1)}`
}
