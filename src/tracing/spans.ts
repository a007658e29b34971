/** The spans of a job, of what it did and of the engine's own clock. */
import type { Course, Stage } from '../pipe/messages.ts'
import type { Run, Story } from '../tasks/story.ts'

/** `from` and `to` are times of `performance.now()`. */
export type SpanOf = {
  name: string
  from: number
  to: number
  isClient?: boolean // of another process
  attributes?: Record<string, string | number>
  errorType?: string | undefined
  parts?: SpanOf[]
}

const names: Record<Stage, string> = { encode: 'encode', prefill: 'prefill', decode: 'decode_steps', paint: 'paint' }
const leastWaitMs = 0.5 // between two stages: less is no wait

/** Names of GenAI, where there are some: https://opentelemetry.io/docs/specs/semconv/gen-ai/ */
const operations: Record<string, string> = {
  chat: 'chat',
  caption: 'generate_content',
  vqa: 'generate_content',
  generate: 'generate_content'
}
const outputs: Record<string, string> = { caption: 'text', vqa: 'text', generate: 'image', detokenize: 'image' }

/**
 * `from` is the time of the request, and `receive` lasts until something was done; `answer` begins when an engine has
 * done its work. What has no end of its own ends with the request, and with `errorType`.
 */
export function spansOf (
  { pictures, runs }: Story,
  { from, to, isChat, errorType }: Pick<SpanOf, 'from' | 'to' | 'errorType'> & { isChat: boolean }
): SpanOf[] {
  const first = [...pictures, ...runs][0]?.from ?? to
  const last = runs.at(-1)?.to ?? to
  return [
    { name: 'receive', from, to: first },
    ...pictures.map(picture => ({ name: 'decode', ...picture })),
    ...runs.map(run => spanOfRun(run, operationOf(run, isChat), to, errorType)),
    ...(last < to ? [{ name: 'answer', from: last, to }] : [])
  ]
}

function operationOf ({ task }: Run, isChat: boolean): string {
  return isChat ? 'chat' : operations[task] ?? task
}

function spanOfRun (run: Run, operation: string, end: number, errorType: string | undefined): SpanOf {
  const { model, task, from, to = end, course, inputTokens, outputTokens } = run
  const output = outputs[task]
  return {
    name: `${operation} ${model}`,
    from,
    to,
    isClient: true,
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': 'lavit',
      'gen_ai.request.model': model,
      'gen_ai.response.model': model,
      ...(output !== undefined && { 'gen_ai.output.type': output }),
      ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
      ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
      'lavit.task': task
    },
    ...(course ? { parts: spansOfCourse(course, from, to) } : { errorType })
  }
}

/**
 * The stages in order, and `queue` before the first one and wherever the request waited between two. The engine tells
 * milliseconds since it took the request; that is half of what the pipe took after `from`.
 */
function spansOfCourse ({ ms, phases }: Course, from: number, to: number): SpanOf[] {
  const accepted = from + Math.max(0, to - from - ms) / 2
  const spans: SpanOf[] = []
  let done = from
  for (const stage of ['encode', 'prefill', 'decode', 'paint'] as const) {
    const phase = phases[stage]
    if (phase === undefined) continue
    const begin = accepted + phase.from
    if (spans.length === 0 || begin - done > leastWaitMs) spans.push({ name: 'queue', from: done, to: begin })
    const end = accepted + phase.to
    spans.push({ name: names[stage], from: begin, to: end, attributes: { 'lavit.units': phase.units } })
    done = Math.max(done, end)
  }
  return spans
}
