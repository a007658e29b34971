/** A picture to text: captions and answers. */
import { Type, type Static } from 'typebox'
import { ImageInput, VisualTokens, aboutPicture, exampleImage, ref, seedRange, strict } from './common.ts'
import { drawOptions, jobOptions, n, pictureOptions, seed, stream } from './options.ts'

export const mostBeams = 16

export const Postprocess = Type.Enum(['none', 'first_sentence', 'short_answer', 'lemmatised_answer'], {
  description:
    'What becomes of a text: `first_sentence` ends it before the first full stop, `short_answer` at the first new ' +
    'line, comma or full stop, `lemmatised_answer` also puts nouns and verbs into their base form, in lower case'
})

const options = {
  image: Type.Optional(ref(ImageInput)),
  visual_tokens: Type.Optional(ref(VisualTokens)),
  ...pictureOptions,
  max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'Longest text, in tokens' })),
  min_tokens: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Shortest text, in tokens' })),
  num_beams: Type.Optional(
    Type.Integer({ minimum: 1, maximum: mostBeams, description: 'Beams of the search; 1 draws token by token' })
  ),
  ...drawOptions,
  repetition_penalty: Type.Optional(Type.Number({ minimum: 0.01, maximum: 100, description: '1 is off' })),
  length_penalty: Type.Optional(
    Type.Number({ minimum: -100, maximum: 100, description: 'Of the beam search: above 0 favours longer texts' })
  ),
  early_stopping: Type.Optional(
    Type.Boolean({
      description: 'Ends the beam search as soon as it has `num_beams` texts, even if a better one could still come'
    })
  ),
  postprocess: Type.Optional(Postprocess),
  seed,
  n,
  stream,
  ...jobOptions
}

export const CaptionRequest = Type.Object(
  {
    ...options,
    prompt: Type.Optional(
      Type.String({ description: 'Text after the picture, which the caption goes on from; a blank one is none' })
    )
  },
  {
    ...strict,
    $id: 'CaptionRequest',
    description: 'A picture in `image` or as `visual_tokens`, and how to write about it',
    examples: [{ image: exampleImage, num_beams: 2 }]
  }
)

export const VqaRequest = Type.Object(
  {
    ...options,
    question: Type.String({
      minLength: 1,
      description: 'The question about the picture; spaces around it do not matter'
    })
  },
  {
    ...strict,
    $id: 'VqaRequest',
    description: 'A picture in `image` or as `visual_tokens`, and a question about it',
    examples: [{ image: exampleImage, question: 'what color is the background?' }]
  }
)

const GeneratedText = Type.Object(
  {
    text: Type.String({ description: 'The text' }),
    log_probability: Type.Number({
      description:
        'How probable the model itself holds the text: the sum of the natural logarithms over its tokens and its ' +
        'end, before `repetition_penalty`, `temperature`, `top_p` and `top_k`; the same with beams and without'
    }),
    score: Type.Optional(
      Type.Number({
        description:
          'With beams: what they are ranked by. The sum of the logarithms after `repetition_penalty`, divided by ' +
          '(tokens + 1) to the power of `length_penalty`'
      })
    ),
    seed: Type.Optional(
      Type.Integer({
        ...seedRange,
        description: 'Of a drawn text: a request for one text with this seed gives it again'
      })
    ),
    finish_reason: Type.Enum(['stop', 'length'], {
      description: '`stop` where the model ended it, `length` where `max_tokens` did'
    })
  },
  { ...strict, $id: 'GeneratedText', description: 'A text of the model' }
)

const answerFields = {
  approximate: Type.Optional(
    Type.Literal(true, { description: 'Read from visual tokens, which hold less than the picture' })
  ),
  seed: Type.Integer({ ...seedRange, description: 'The same request with this seed gives the same answer' }),
  ...aboutPicture,
  usage: Type.Object(
    {
      visual_tokens: Type.Integer({ description: 'Of the picture' }),
      prompt_tokens: Type.Integer({ description: 'Of the text that was sent' }),
      completion_tokens: Type.Integer({ description: 'Of all texts of the answer' })
    },
    { ...strict, description: 'What the work came to' }
  )
}

const text = { text: 'a red apple to the left of a dog', log_probability: -3.1, finish_reason: 'stop' }

export const CaptionResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that answered' }),
    captions: Type.Array(ref(GeneratedText), {
      description: 'Best first: by `score` with beams, else by `log_probability`'
    }),
    ...answerFields
  },
  {
    ...strict,
    $id: 'CaptionResponse',
    description: 'Captions of a picture',
    examples: [
      {
        model: 'lavit-mini',
        captions: [text],
        seed: 7,
        familiarity: 0.98,
        usage: { visual_tokens: 23, prompt_tokens: 0, completion_tokens: 9 }
      }
    ]
  }
)

export const VqaResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that answered' }),
    answers: Type.Array(ref(GeneratedText), {
      description: 'Best first: by `score` with beams, else by `log_probability`'
    }),
    ...answerFields
  },
  {
    ...strict,
    $id: 'VqaResponse',
    description: 'Answers to a question',
    examples: [
      {
        model: 'lavit-mini',
        answers: [{ ...text, text: 'dog' }],
        seed: 7,
        familiarity: 0.98,
        usage: { visual_tokens: 23, prompt_tokens: 8, completion_tokens: 1 }
      }
    ]
  }
)

export const understandingSchemas = [GeneratedText, CaptionRequest, CaptionResponse, VqaRequest, VqaResponse]
export type Postprocess = Static<typeof Postprocess>
export type CaptionRequest = Static<typeof CaptionRequest>
export type CaptionResponse = Static<typeof CaptionResponse>
export type VqaRequest = Static<typeof VqaRequest>
export type VqaResponse = Static<typeof VqaResponse>
