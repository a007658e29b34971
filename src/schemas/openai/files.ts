/** Files of batches as OpenAI's clients send, list and read them. */
import { Type, type Static } from 'typebox'
import { ref } from '../common.ts'

const seconds = { minimum: 3600, maximum: 2_592_000 } // an hour to thirty days

export const ExpiresAfter = Type.Object(
  {
    anchor: Type.Literal('created_at', { description: 'The time from which it counts' }),
    seconds: Type.Integer({ ...seconds, description: 'Seconds after which the file is removed; at most as configured' })
  },
  { $id: 'ExpiresAfter', description: 'How long a file is kept' }
)

const exampleLine = {
  custom_id: 'a',
  method: 'POST',
  url: '/generate',
  body: { prompt: 'an apple on a blue background', seed: 7 }
}

/** What a form holds; it is read as it arrives, so that this is what the document says of it. */
export const UploadRequest = Type.Object(
  {
    file: Type.String({ format: 'binary', description: 'The file: JSONL, a request in each line' }),
    purpose: Type.Enum(['batch'], { description: 'What the file is for' }),
    'expires_after[anchor]': Type.Optional(Type.Enum(['created_at'], { description: 'The time from which it counts' })),
    'expires_after[seconds]': Type.Optional(
      Type.Integer({ ...seconds, description: 'Seconds after which the file is removed; at most as configured' })
    )
  },
  {
    $id: 'UploadRequest',
    description: 'A file of requests, as a form',
    examples: [{ file: `${JSON.stringify(exampleLine)}\n`, purpose: 'batch' }]
  }
)

const id = Type.String({ description: 'What requests call the file', examples: ['file-3Zk1vYx0cQ8t9yq5kT3n7vEx'] })

export const StoredFile = Type.Object(
  {
    id,
    object: Type.Literal('file', { description: 'What this is' }),
    bytes: Type.Integer({ minimum: 0, description: 'How long it is' }),
    created_at: Type.Integer({ description: 'Seconds since 1970 when it was there' }),
    expires_at: Type.Integer({ description: 'Seconds since 1970 when it is removed' }),
    filename: Type.String({ description: 'How it was called' }),
    purpose: Type.Enum(['batch', 'batch_output'], { description: 'What was sent, or what a batch has written' }),
    status: Type.Literal('processed', { description: 'Always `processed`' })
  },
  {
    $id: 'StoredFile',
    description: "A file of batches, as OpenAI's clients read it",
    examples: [
      {
        id: 'file-3Zk1vYx0cQ8t9yq5kT3n7vEx',
        object: 'file',
        bytes: 171,
        created_at: 1_764_000_000,
        expires_at: 1_766_592_000,
        filename: 'requests.jsonl',
        purpose: 'batch',
        status: 'processed'
      }
    ]
  }
)

/** What a list that goes on says of its part: to be spread into the schema beside `data`. */
export const page = {
  object: Type.Literal('list', { description: 'What this is' }),
  first_id: Type.Union([Type.String(), Type.Null()], { description: 'Of the first here' }),
  last_id: Type.Union([Type.String(), Type.Null()], { description: 'Of the last here: `after` of what comes next' }),
  has_more: Type.Boolean({ description: 'Whether more come after it' })
}

export const StoredFiles = Type.Object(
  { ...page, data: Type.Array(ref(StoredFile), { description: 'The files' }) },
  { $id: 'StoredFiles', description: "Files, as OpenAI's clients read them" }
)

export const DeletedFile = Type.Object(
  {
    id,
    object: Type.Literal('file', { description: 'What this was' }),
    deleted: Type.Literal(true, { description: 'That it is gone' })
  },
  { $id: 'DeletedFile', description: 'That a file is gone' }
)

export const fileSchemas = [UploadRequest, ExpiresAfter, StoredFile, StoredFiles, DeletedFile]
export type StoredFile = Static<typeof StoredFile>
