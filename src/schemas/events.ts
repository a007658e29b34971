/** What a streamed answer tells before its end. The end is `done` with the whole answer, or `error` with a problem. */
import { Type, type Static } from 'typebox'
import { VisualTokens, examplePicture, ref, strict } from './common.ts'
import type { Problem } from './problem.ts'

const index = Type.Integer({ minimum: 0, description: 'Which of the `n` texts or pictures' })

export const QueuedEvent = Type.Object(
  {
    position: Type.Integer({
      minimum: 0,
      description: 'Requests ahead of this one that have not begun either; 0 is next'
    })
  },
  {
    ...strict,
    $id: 'QueuedEvent',
    description: 'Event `queued`. The request is accepted and waits; told again when its place changes',
    examples: [{ position: 3 }]
  }
)

export const TokenEvent = Type.Object(
  {
    index,
    delta: Type.String({
      description: 'What the text goes on with; all of one index joined are the text of the answer'
    })
  },
  {
    ...strict,
    $id: 'TokenEvent',
    description:
      'Event `token` of a text. What can still change is held back: several texts, those of a beam search and those ' +
      'that `postprocess` cuts or changes come whole, at the end',
    examples: [{ index: 0, delta: 'a red' }]
  }
)

export const VisualTokenEvent = Type.Object(
  {
    index,
    visual_token: Type.Integer({ minimum: 0, description: 'Codebook index of the next visual token' }),
    count: Type.Integer({ minimum: 1, description: 'Visual tokens of the picture so far' })
  },
  {
    ...strict,
    $id: 'VisualTokenEvent',
    description: 'Event `token` of a picture',
    examples: [{ index: 0, visual_token: 902, count: 2 }]
  }
)

export const StepEvent = Type.Object(
  {
    index,
    step: Type.Integer({ minimum: 1, description: 'Steps that are done' }),
    of: Type.Integer({ minimum: 1, description: 'Steps of the picture' })
  },
  {
    ...strict,
    $id: 'StepEvent',
    description: 'Event `step` of the denoiser; there are none where `steps` is 0',
    examples: [{ index: 0, step: 3, of: 8 }]
  }
)

export const PreviewEvent = Type.Object(
  {
    index,
    media_type: Type.Enum(['image/png', 'image/webp', 'image/jpeg'], { description: 'Type of the file' }),
    data: Type.String({ description: 'The file in base64' }),
    visual_tokens: ref(VisualTokens, 'The tokens that it is painted of')
  },
  {
    ...strict,
    $id: 'PreviewEvent',
    description: 'Event `preview` of a picture, painted from its tokens so far',
    examples: [{ index: 0, media_type: 'image/png', data: examplePicture, visual_tokens: [17, 902] }]
  }
)

/** Data of each event by its name, as each kind of task tells them. */
export const textEvents = { queued: QueuedEvent, token: TokenEvent }
export const pictureEvents = {
  queued: QueuedEvent,
  token: VisualTokenEvent,
  preview: PreviewEvent,
  step: StepEvent
}

export const eventSchemas = [QueuedEvent, TokenEvent, VisualTokenEvent, StepEvent, PreviewEvent]

/** Tells whoever follows a request what there is so far. */
export type Tell = (
  ...event:
    | [name: 'queued', data: Static<typeof QueuedEvent>]
    | [name: 'token', data: Static<typeof TokenEvent> | Static<typeof VisualTokenEvent>]
    | [name: 'step', data: Static<typeof StepEvent>]
    | [name: 'preview', data: Static<typeof PreviewEvent>]
) => void

/** How a stream is written: the messages of its events, and those of its one end. An empty text is no message. */
export type Wire<Answer> = {
  tell: (...event: Parameters<Tell>) => string
  done: (answer: Answer) => string
  failed: (problem: Problem) => string
}
