/** What a job would come to, asked before it is sent. */
import { Type, type Static, type TSchema } from 'typebox'
import { exampleImage, ref, strict } from './common.ts'
import { DetokenizeRequest, GenerateRequest } from './generate.ts'
import { TokenizeRequest } from './tokenize.ts'
import { CaptionRequest, VqaRequest } from './understanding.ts'

const tokenize = estimateOf('tokenize', 'TokenizeEstimate', TokenizeRequest)
const detokenize = estimateOf('detokenize', 'DetokenizeEstimate', DetokenizeRequest)
const caption = estimateOf('caption', 'CaptionEstimate', CaptionRequest)
const vqa = estimateOf('vqa', 'VqaEstimate', VqaRequest)
const generate = estimateOf('generate', 'GenerateEstimate', GenerateRequest)
const forms = [tokenize, detokenize, caption, vqa, generate]

function estimateOf<Job extends string, Request extends TSchema> (job: Job, $id: string, request: Request) {
  return Type.Object(
    {
      job: Type.Literal(job, { description: 'The job, by the name of its route' }),
      request: ref(request, `The body that \`/${job}\` would be sent`)
    },
    { ...strict, $id, description: `What \`/${job}\` would be sent` }
  )
}

type AnyEstimate =
  | Static<typeof tokenize>
  | Static<typeof detokenize>
  | Static<typeof caption>
  | Static<typeof vqa>
  | Static<typeof generate>

export const EstimateRequest = Type.Unsafe<AnyEstimate>(
  Type.Unsafe({
    $id: 'EstimateRequest',
    description: 'The body of any job, told apart by `job`',
    type: 'object',
    required: ['job'],
    discriminator: { propertyName: 'job' },
    oneOf: forms.map(form => ref(form)),
    examples: [{ job: 'caption', request: { image: exampleImage, num_beams: 2 } }]
  })
)

const UsageName = Type.Enum(['visual_tokens', 'patches', 'prompt_tokens', 'completion_tokens', 'steps'], {
  description: 'Name of a number of `usage`'
})

const usageNumber = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }))

export const EstimateResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that would answer' }),
    job: Type.Enum(['tokenize', 'detokenize', 'caption', 'vqa', 'generate'], { description: 'The job' }),
    usage: Type.Object(
      {
        visual_tokens: usageNumber('Of the picture, or of all pictures that are painted'),
        patches: usageNumber('Of the grid'),
        prompt_tokens: usageNumber('Of the text that is sent; of `/generate` with those of its pictures'),
        completion_tokens: usageNumber('Of all texts of the answer'),
        steps: usageNumber('Paint steps of each picture')
      },
      {
        ...strict,
        description:
          "What the `usage` of the job's answer is expected to say: the numbers that this job tells, as pictures and " +
          'texts came out lately'
      }
    ),
    exact: Type.Array(UsageName, { description: 'The numbers of `usage` that can be no other' }),
    cost: Type.Integer({
      minimum: 0,
      description:
        'What the job is charged while it waits and runs, at most: tokens and paint steps by picture area, the unit ' +
        'of the queue and of turns'
    }),
    position: Type.Integer({ minimum: 0, description: 'Requests that would be ahead of it and have not begun' }),
    start_seconds: Type.Number({ minimum: 0, description: 'From its arrival until the engine begins with it' }),
    seconds: Type.Number({ minimum: 0, description: 'Until its answer, if it was sent now' })
  },
  {
    ...strict,
    $id: 'EstimateResponse',
    description: 'What a job is expected to come to',
    examples: [
      {
        model: 'lavit-mini',
        job: 'caption',
        usage: { visual_tokens: 17.2, prompt_tokens: 0, completion_tokens: 11.4 },
        exact: ['prompt_tokens'],
        cost: 210,
        position: 0,
        start_seconds: 0.0008,
        seconds: 0.034
      }
    ]
  }
)

export const estimateSchemas = [...forms, EstimateRequest, EstimateResponse]
export type EstimateRequest = Static<typeof EstimateRequest>
export type EstimateResponse = Static<typeof EstimateResponse>
