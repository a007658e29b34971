/** Every error on the wire. */
import { Type, type Static } from 'typebox'
import { ref, strict } from './common.ts'

const FieldError = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer to the wrong field' }),
    message: Type.String({ description: 'What is wrong with it' })
  },
  { ...strict, $id: 'FieldError', description: 'What is wrong with one field' }
)

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable URI of this kind of problem' }),
    title: Type.String({ description: 'The kind of problem in words' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The status of the answer' }),
    detail: Type.String({ description: 'What went wrong this time' }),
    code: Type.String({ description: 'Stable name of this kind of problem' }),
    request_id: Type.String({ description: 'The id under which the log tells of the request' }),
    trace_id: Type.Optional(
      Type.String({ description: 'The trace that the request is part of, where the server keeps traces' })
    ),
    errors: Type.Optional(Type.Array(ref(FieldError), { description: 'Each wrong field' }))
  },
  {
    $id: 'Problem',
    description: 'A problem document (RFC 9457)',
    examples: [
      {
        type: 'urn:lavit:problem:invalid_field',
        title: 'Invalid field',
        status: 422,
        detail: 'top_p must be <= 1',
        code: 'invalid_field',
        request_id: '0a3c6c4e-6d5a-4c43-9a5b-2f0a3f2d9a51',
        errors: [{ pointer: '/top_p', message: 'must be <= 1' }]
      }
    ]
  }
)

export const problemSchemas = [FieldError, Problem]
export type Problem = Static<typeof Problem>
