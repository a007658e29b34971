/** A conversation of OpenAI's wire as a caption or an answer, and back. */
import { invalidField, refusedField, withPointers } from '../errors.ts'
import type { Tell } from '../schemas/events.ts'
import type { ChatCompletion, ChatMessage, ChatRequest } from '../schemas/openai/chat.ts'
import { caption } from '../tasks/caption.ts'
import type { Job } from '../tasks/job.ts'
import { answerQuestion } from '../tasks/vqa.ts'
import { now } from './created.ts'

/** Throws `invalid_request` for what would make another answer than the client expects. */
export async function completeChat (job: Job, request: ChatRequest, tell?: Tell): Promise<ChatCompletion> {
  refuseOthers(request)
  const { image, text, pointers } = readConversation(request.messages)
  const { model, n, seed, top_p: topP, priority, deadline_ms: deadlineMs } = request
  const temperature = topP === 0 ? 0 : request.temperature // none but the likeliest is left
  const maxTokens = request.max_completion_tokens ?? request.max_tokens
  const options = {
    image,
    ...(model !== undefined && { model }),
    ...(n !== undefined && { n }),
    ...(seed !== undefined && { seed }),
    ...(temperature !== undefined && { temperature, ...(temperature === 0 && { num_beams: n ?? 1 }) }),
    ...(temperature && topP !== undefined && { top_p: topP }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(priority !== undefined && { priority }),
    ...(deadlineMs !== undefined && { deadline_ms: deadlineMs })
  }
  const { texts, usage, name } = await write().catch(error => {
    throw withPointers(error, pointer => pointers[pointer] ?? pointer)
  })
  return {
    id: '',
    object: 'chat.completion',
    created: now(),
    model: name,
    choices: texts.map(({ text, finish_reason: finishReason }, index) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: null,
      finish_reason: finishReason
    })),
    usage: {
      prompt_tokens: usage.prompt_tokens + usage.visual_tokens,
      completion_tokens: usage.completion_tokens,
      total_tokens: usage.prompt_tokens + usage.visual_tokens + usage.completion_tokens,
      prompt_tokens_details: { image_tokens: usage.visual_tokens }
    }
  }

  async function write () {
    if (text === '') {
      const { captions, usage, model: name } = await caption(job, options, tell)
      return { texts: captions, usage, name }
    }
    const { answers, usage, model: name } = await answerQuestion(job, { ...options, question: text }, tell)
    return { texts: answers, usage, name }
  }
}

type Conversation = { image: string; text: string; pointers: Record<string, string> }

/** The last message of the user, its picture or the last one before it, and where the fields of a job stand. */
function readConversation (messages: ChatMessage[]): Conversation {
  const turns = messages.flatMap(({ role, content }, index) =>
    role === 'user' ? [{ index, parts: partsOf(content) }] : []
  )
  const last = turns.at(-1)
  if (last === undefined) throw invalidField('/messages', 'must hold a message of the user')
  const other = last.parts.findIndex(({ type }) => type !== 'text' && type !== 'image_url')
  if (other >= 0) {
    throw refusedField(pointerOf(last.index, other), 'is neither a text nor a picture, and the model reads no other')
  }
  const pictures = turns.map(({ index, parts }) =>
    parts.flatMap((part, place) => (part.type === 'image_url' ? [{ part, pointer: pointerOf(index, place) }] : []))
  )
  if ((pictures.at(-1)?.length ?? 0) > 1) {
    throw refusedField(`/messages/${last.index}/content`, 'must hold one picture: the model reads one at a time')
  }
  const picture = pictures.flat().at(-1)
  if (picture === undefined) {
    throw invalidField('/messages', 'must hold a picture: the model speaks about pictures alone')
  }
  const text = last.parts.flatMap(part => (part.type === 'text' ? [part.text] : [])).join('\n')
  const pointers = { '/image': `${picture.pointer}/image_url/url`, '/question': pointerOf(last.index) }
  return { image: picture.part.image_url.url, text: text.trim(), pointers }
}

function pointerOf (message: number, part?: number) {
  return `/messages/${message}/content${part === undefined ? '' : `/${part}`}`
}

function partsOf (content: ChatMessage['content']) {
  if (typeof content === 'string') return [{ type: 'text' as const, text: content }]
  return content ?? []
}

/** Fields whose effect the model does not have, and the words with which they ask for none. */
const others: Record<string, unknown[]> = {
  stop: [],
  logprobs: [],
  top_logprobs: [],
  logit_bias: [],
  frequency_penalty: [],
  presence_penalty: [],
  response_format: ['text'],
  modalities: ['text'],
  audio: [],
  tool_choice: ['auto', 'none'],
  function_call: ['auto', 'none'],
  web_search_options: []
}
const nothing = [undefined, null, false, 0]

function refuseOthers (request: ChatRequest): void {
  const given = new Map(Object.entries(request))
  for (const [name, words] of Object.entries(others)) {
    const value = given.get(name)
    const asked = typeof value === 'object' && value !== null && 'type' in value ? value.type : value
    const isEmpty =
      name !== 'web_search_options' && // which asks for a search without options, too
      typeof asked === 'object' &&
      asked !== null &&
      Object.keys(asked).length === 0
    if (!isEmpty && ![asked].flat().every(one => [...nothing, ...words].includes(one))) {
      throw refusedField(`/${name}`, 'cannot be honoured by this model; leave it out')
    }
  }
}
