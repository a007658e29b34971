/** Headers of answers, told once in the document. */
import { seedRange } from '../../schemas/common.ts'
import type { Header } from './shape.ts'

export const headers = {
  'x-request-id': {
    description: "The id of the request: the client's own where it sent a sane one",
    schema: { type: 'string' },
    example: '0a3c6c4e-6d5a-4c43-9a5b-2f0a3f2d9a51'
  },
  'Server-Timing': {
    description:
      'Where the time went, in milliseconds: of a job its decoding, queueing, encoding, prefill, decode steps and ' +
      'painting',
    schema: { type: 'string' },
    example: 'queue;desc="waiting";dur=0.4, total;dur=61.2'
  },
  'Cache-Control': { description: 'Whether the answer may be kept', schema: { type: 'string' }, example: 'no-store' },
  Vary: {
    description: 'The request headers that the answer depends on',
    schema: { type: 'string' },
    example: 'Accept, Accept-Encoding'
  },
  'x-seed': {
    description: 'Of a picture that is the body itself: the seed that it was painted with, or its patches drawn by',
    schema: { type: 'integer', ...seedRange, format: 'int64' },
    example: 7
  },
  'x-queue-position': {
    description: 'Requests that were ahead of this one and had not begun when the engine was given it',
    schema: { type: 'integer', minimum: 0 },
    example: 0
  },
  'x-expected-start-ms': {
    description:
      'Milliseconds from there to its first unit of work, as the engine expected when it took it; `start` of ' +
      '`Server-Timing` tells how many it were',
    schema: { type: 'number', minimum: 0 },
    example: 0.8
  },
  ETag: {
    description: 'Names these very bytes; `If-None-Match` with it is answered 304',
    schema: { type: 'string' },
    example: '"2jmj7l5rSw0yVb-vlWAYkK-YBwk"'
  },
  Allow: { description: 'The methods of the path', schema: { type: 'string' }, example: 'GET, HEAD, OPTIONS' },
  'Accept-Post': {
    description: 'The media types that the route reads',
    schema: { type: 'string' },
    example: 'application/json, multipart/form-data, image/png'
  },
  'WWW-Authenticate': { description: 'How to send the key', schema: { type: 'string' }, example: 'Bearer' },
  'RateLimit-Policy': {
    description: 'Of a key with a rate: how many requests it may send (q) within so many seconds (w)',
    schema: { type: 'string' },
    example: '"requests";q=60;w=60'
  },
  RateLimit: {
    description: 'Of a key with a rate: how many requests are left (r), and the seconds until all are back (t)',
    schema: { type: 'string' },
    example: '"requests";r=59;t=1'
  },
  'Retry-After': {
    description: 'Seconds after which it is worth while to try again',
    schema: { type: 'integer', minimum: 1 },
    example: 1
  }
} satisfies Record<string, Header>

export type HeaderName = keyof typeof headers

/** References to headers by name. */
export function headerRefs (...names: HeaderName[]) {
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

/** What answers of a status carry beside the headers of every answer. */
export const headersOfStatus: Record<string, HeaderName[]> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  415: ['Accept-Post'],
  429: ['Retry-After'],
  503: ['Retry-After']
}
