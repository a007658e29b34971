/** A completion in pieces: unnamed events of chunks, closed by `[DONE]`. */
import type { Problem } from '../schemas/problem.ts'
import type { Wire } from '../schemas/events.ts'
import type { ChatCompletion, ChatRequest } from '../schemas/openai/chat.ts'
import { now } from './created.ts'
import { errorOf } from './errors.ts'

export function chunksOf (id: string, request: ChatRequest, defaultModel: string): Wire<ChatCompletion> {
  const head = { id, object: 'chat.completion.chunk', created: now(), model: request.model ?? defaultModel }
  const told = new Set<number>()
  const chunk = (index: number, delta: object, finishReason: string | null = null) =>
    event({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: finishReason }] })

  return {
    tell (name, data) {
      if (name !== 'token' || !('delta' in data)) return ''
      const role = told.has(data.index) ? {} : { role: 'assistant' }
      told.add(data.index)
      return chunk(data.index, { ...role, content: data.delta })
    },
    done ({ choices, usage }) {
      const ends = choices.map(({ index, finish_reason: reason }) => {
        const delta = told.has(index) ? {} : { role: 'assistant', content: '' }
        return chunk(index, delta, reason)
      })
      const total = request.stream_options?.include_usage ? [event({ ...head, choices: [], usage })] : []
      return [...ends, ...total, event('[DONE]')].join('')
    },
    failed: (problem: Problem) => event({ error: errorOf(problem) })
  }
}

function event (data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}
