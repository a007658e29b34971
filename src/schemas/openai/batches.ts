/** Batches as OpenAI's clients create and read them. Unknown fields are ignored there, so they are here. */
import { Type, type Static } from 'typebox'
import { ref } from '../common.ts'
import { ExpiresAfter, page } from './files.ts'

/** Routes that a line may ask. */
export const endpoints = [
  '/v1/chat/completions', '/v1/images/generations', '/caption', '/vqa', '/tokenize', '/generate'
] as const

const endpoint = Type.Enum([...endpoints], { description: 'The route that every line asks' })
const exampleFile = 'file-3Zk1vYx0cQ8t9yq5kT3n7vEx'
const window = Type.String({
  pattern: '^[1-9][0-9]{0,2}h$',
  description: 'Hours within which it is to be done, such as `24h`; lines that are not done by then expire',
  examples: ['24h']
})

const Metadata = Type.Unsafe<Record<string, string>>({
  $id: 'Metadata',
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 512 },
  propertyNames: { maxLength: 64 },
  maxProperties: 16,
  description: 'Up to 16 texts of your own by name'
})

export const BatchRequest = Type.Object(
  {
    input_file_id: Type.String({
      maxLength: 100,
      description:
        'A file of requests: JSONL, in each line `custom_id`, `method` (POST), `url` (the endpoint) and `body`'
    }),
    endpoint,
    completion_window: window,
    metadata: Type.Optional(Type.Union([ref(Metadata), Type.Null()], { description: 'Your own words about it' })),
    output_expires_after: Type.Optional(
      Type.Union([ref(ExpiresAfter), Type.Null()], { description: 'How long its results are kept' })
    )
  },
  {
    $id: 'BatchRequest',
    description: "A file of requests to be done, as OpenAI's clients send it; unknown fields are ignored",
    examples: [{ input_file_id: exampleFile, endpoint: '/v1/chat/completions', completion_window: '24h' }]
  }
)

const BatchError = Type.Object(
  {
    code: Type.String({ description: 'Stable name of this kind of error' }),
    message: Type.String({ description: 'What is wrong' }),
    param: Type.Union([Type.String(), Type.Null()], { description: 'The field that is wrong' }),
    line: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'The line of the file, from 1' })
  },
  { $id: 'BatchError', description: 'Why a batch was not done' }
)

const time = (when: string) =>
  Type.Union([Type.Integer(), Type.Null()], { description: `Seconds since 1970 when ${when}; null before` })
const result = (what: string) => Type.Union([Type.String(), Type.Null()], { description: `The file of ${what}` })

export const Batch = Type.Object(
  {
    id: Type.String({ description: 'What requests call it' }),
    object: Type.Literal('batch', { description: 'What this is' }),
    endpoint: Type.String({ description: 'The route that every line asks' }),
    errors: Type.Union(
      [
        Type.Object(
          {
            object: Type.Literal('list', { description: 'What this is' }),
            data: Type.Array(ref(BatchError), { description: 'The first of them' })
          },
          { description: 'Errors' }
        ),
        Type.Null()
      ],
      { description: 'Why it failed, if it did' }
    ),
    input_file_id: Type.String({ description: 'The file of requests' }),
    completion_window: window,
    status: Type.Enum(
      ['validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled'],
      { description: 'How far it is' }
    ),
    output_file_id: result('answers that are good, once it has ended and where there are any'),
    error_file_id: result('answers that are errors, once it has ended and where there are any'),
    created_at: Type.Integer({ description: 'Seconds since 1970 when it was created' }),
    in_progress_at: time('its file was found good'),
    expires_at: Type.Integer({ description: 'Seconds since 1970 when what is not done expires' }),
    finalizing_at: time('its last line was done'),
    completed_at: time('its results were there'),
    failed_at: time('it failed'),
    expired_at: time('it expired'),
    cancelling_at: time('it was told to stop'),
    cancelled_at: time('it had stopped'),
    request_counts: Type.Object(
      {
        total: Type.Integer({ description: 'Lines of its file, once it is in progress' }),
        completed: Type.Integer({ description: 'Good answers so far' }),
        failed: Type.Integer({ description: 'Errors so far' })
      },
      { description: 'How many lines' }
    ),
    metadata: Type.Union([ref(Metadata), Type.Null()], { description: 'Your own words about it' })
  },
  {
    $id: 'Batch',
    description: "A file of requests that is done in the background, as OpenAI's clients read it",
    examples: [
      {
        id: 'batch_9dR2wYm0c8t1yq5kT3n7vExu',
        object: 'batch',
        endpoint: '/v1/chat/completions',
        errors: null,
        input_file_id: exampleFile,
        completion_window: '24h',
        status: 'in_progress',
        output_file_id: null,
        error_file_id: null,
        created_at: 1_764_000_000,
        in_progress_at: 1_764_000_001,
        expires_at: 1_764_086_400,
        finalizing_at: null,
        completed_at: null,
        failed_at: null,
        expired_at: null,
        cancelling_at: null,
        cancelled_at: null,
        request_counts: { total: 1000, completed: 317, failed: 2 },
        metadata: null
      }
    ]
  }
)

export const Batches = Type.Object(
  { ...page, data: Type.Array(ref(Batch), { description: 'The batches' }) },
  { $id: 'Batches', description: "Batches, as OpenAI's clients read them" }
)

export const batchSchemas = [Metadata, BatchRequest, BatchError, Batch, Batches]
export type BatchRequest = Static<typeof BatchRequest>
export type BatchError = Static<typeof BatchError>
export type Batch = Static<typeof Batch>
