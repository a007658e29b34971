/** One line of a batch's file: the request that it asks for, or what is wrong with it. */
import { createHash } from 'node:crypto'
import { JsonFault, parseJson } from '../codecs/json.ts'
import type { BatchError } from '../schemas/openai/batches.ts'
import { readLines, type Line } from './lines.ts'

/** `id` follows from the line alone, so that a line done anew has the same. */
export type RequestLine = { id: string; customId: string; body: object; bytes: number }
export type LineName = Pick<RequestLine, 'id' | 'customId'>

export type LineLimits = { endpoint: string; mostLineBytes: number }

const longestId = 512

/** Throws a LineFault. */
export function parseRequest ({ bytes, number }: Line, { endpoint, mostLineBytes }: LineLimits): RequestLine {
  const fault = (code: string, message: string, param: string | null = null) =>
    new LineFault({ code, message, param, line: number })
  if (bytes === undefined) throw fault('line_too_long', `The line has more bytes than the limit of ${mostLineBytes}`)
  const value = parse(bytes, fault)
  if (!isObject(value)) throw fault('invalid_line', 'The line is no JSON object')
  const { custom_id: customId, method, url, body }: Record<string, unknown> = { ...value }
  if (typeof customId !== 'string' || customId === '' || customId.length > longestId) {
    throw fault('invalid_line', `custom_id must be a text of 1 to ${longestId} characters`, 'custom_id')
  }
  if (method !== 'POST') throw fault('invalid_line', 'method must be POST', 'method')
  if (url !== endpoint) throw fault('invalid_line', `url must be the endpoint of the batch, ${endpoint}`, 'url')
  if (!isObject(body)) throw fault('invalid_line', 'body must be an object, the request', 'body')
  if ('stream' in body && body.stream === true) {
    throw fault('invalid_line', 'body.stream cannot be true: a batch has no streams', 'body.stream')
  }
  const id = `batch_req_${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`
  return { id, customId, body, bytes: bytes.length }
}

/** The requests of a file that was found good. */
export async function * readRequests (path: string, limits: LineLimits): AsyncGenerator<RequestLine> {
  for await (const line of readLines(path, limits.mostLineBytes)) yield parseRequest(line, limits)
}

/** Why a line is no request. */
export class LineFault extends Error {
  readonly fault: BatchError

  constructor (fault: BatchError) {
    super(fault.message)
    this.fault = fault
  }
}

function parse (bytes: Buffer, fault: (code: string, message: string) => LineFault): unknown {
  try {
    return parseJson(bytes)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw fault('invalid_json_line', `The line ${error.pointer ?? ''}${error.pointer ? ' ' : ''}${error.message}`)
  }
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
