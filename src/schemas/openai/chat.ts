/** Chat completions as OpenAI's clients write and read them. Unknown fields are ignored there, so they are here. */
import { Type, type Static } from 'typebox'
import { exampleImage, ref, seedRange } from '../common.ts'
import { jobOptions, n } from '../options.ts'

const TextPart = Type.Object(
  { type: Type.Literal('text', { description: 'A text' }), text: Type.String({ description: 'The text' }) },
  { $id: 'ChatTextPart', description: 'A text' }
)

const PicturePart = Type.Object(
  {
    type: Type.Literal('image_url', { description: 'A picture' }),
    image_url: Type.Object(
      {
        url: Type.String({
          minLength: 1,
          description: 'The picture as a data URL, or its URL where the server may fetch'
        })
      },
      { description: 'Where the picture is' }
    )
  },
  { $id: 'ChatPicturePart', description: 'A picture' }
)

const FilePart = otherPart('file', 'ChatFilePart', 'A file')
const AudioPart = otherPart('input_audio', 'ChatAudioPart', 'A sound')
const RefusalPart = otherPart('refusal', 'ChatRefusalPart', 'What an assistant would not say')

const ChatPart = Type.Union([TextPart, PicturePart, FilePart, AudioPart, RefusalPart])

const ChatMessage = Type.Object(
  {
    role: Type.Enum(['system', 'developer', 'user', 'assistant', 'tool', 'function'], {
      description: 'Who speaks; only what the user says last is read'
    }),
    content: Type.Optional(
      Type.Union(
        [
          Type.String(),
          Type.Array(
            Type.Unsafe<Static<typeof ChatPart>>({
              oneOf: ['ChatTextPart', 'ChatPicturePart', 'ChatFilePart', 'ChatAudioPart', 'ChatRefusalPart'].map(id =>
                Type.Ref(id)
              ),
              type: 'object',
              required: ['type'],
              discriminator: { propertyName: 'type' }
            }),
            { maxItems: 64 }
          ),
          Type.Null()
        ],
        { description: 'A text, or texts and pictures' }
      )
    )
  },
  { $id: 'ChatMessage', description: 'A message of a conversation' }
)

export const ChatRequest = Type.Object(
  {
    messages: Type.Array(ref(ChatMessage), {
      minItems: 1,
      maxItems: 1000,
      description:
        'The last message of the user is the question, about its picture or the last one before it; a picture ' +
        'without a text gets a caption'
    }),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'Longest text, in tokens' })),
    max_completion_tokens: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000, description: 'The same by its newer name' })
    ),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2, description: 'Above 0 the text is drawn' })),
    top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Share of probability to draw from' })),
    seed: Type.Optional(
      Type.Integer({ ...seedRange, description: 'The same seed gives the same text' })
    ),
    n,
    stream: Type.Optional(Type.Boolean({ description: 'Answers events of chunks, closed by `[DONE]`' })),
    stream_options: Type.Optional(
      Type.Object(
        { include_usage: Type.Optional(Type.Boolean({ description: 'Whether a last chunk tells the usage' })) },
        { description: 'Of a streamed answer' }
      )
    ),
    ...jobOptions
  },
  {
    $id: 'ChatRequest',
    description: "A conversation about a picture, as OpenAI's clients send it; unknown fields are ignored",
    examples: [
      {
        model: 'lavit-mini',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'what color is the background?' },
              { type: 'image_url', image_url: { url: exampleImage } }
            ]
          }
        ]
      }
    ]
  }
)

const Usage = Type.Object(
  {
    prompt_tokens: Type.Integer({ description: 'Of text and picture' }),
    completion_tokens: Type.Integer({ description: 'Of all answers' }),
    total_tokens: Type.Integer({ description: 'Both together' }),
    prompt_tokens_details: Type.Object(
      { image_tokens: Type.Integer({ description: 'Visual tokens of the picture' }) },
      { description: 'What the prompt is made of' }
    )
  },
  { $id: 'ChatUsage', description: 'What the work came to' }
)

export const ChatCompletion = Type.Object(
  {
    id: Type.String({ description: 'Of this completion' }),
    object: Type.Literal('chat.completion', { description: 'What this is' }),
    created: Type.Integer({ description: 'Seconds since 1970' }),
    model: Type.String({ description: 'The model that wrote' }),
    choices: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Which of the `n` answers' }),
        message: Type.Object(
          {
            role: Type.Literal('assistant', { description: 'Who speaks' }),
            content: Type.String({ description: 'The text' }),
            refusal: Type.Null({ description: 'Always null' })
          },
          { description: 'The answer' }
        ),
        logprobs: Type.Null({ description: 'Always null' }),
        finish_reason: Type.Enum(['stop', 'length'], { description: '`length` where the text was cut off' })
      }),
      { description: 'The answers' }
    ),
    usage: ref(Usage)
  },
  {
    $id: 'ChatCompletion',
    description: "Answers to the last message, as OpenAI's clients read them",
    examples: [
      {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1_764_000_000,
        model: 'lavit-mini',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'blue', refusal: null },
            logprobs: null,
            finish_reason: 'stop'
          }
        ],
        usage: {
          prompt_tokens: 27,
          completion_tokens: 2,
          total_tokens: 29,
          prompt_tokens_details: { image_tokens: 12 }
        }
      }
    ]
  }
)

/** Of those that a conversation may hold; it is refused in what the user says last. */
function otherPart<Name extends string, Id extends string> (name: Name, $id: Id, description: string) {
  return Type.Object(
    { type: Type.Literal(name, { description }) },
    { $id, description: `${description}; refused in what the user says last, and not read elsewhere` }
  )
}

export const chatSchemas = [...ChatPart.anyOf, ChatMessage, ChatRequest, Usage, ChatCompletion]
export type ChatMessage = Static<typeof ChatMessage>
export type ChatRequest = Static<typeof ChatRequest>
export type ChatCompletion = Static<typeof ChatCompletion>
