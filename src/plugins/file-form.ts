/** A form of one file, which is saved as it arrives, and of short texts beside it. */
import type { FastifyRequest } from 'fastify'
import { ServerError, invalidField, tooManyBytes } from '../errors.ts'
import { escapeName } from '../codecs/json.ts'
import { explainForm, mostParts, strayPart } from './forms.ts'
import { watchBody } from './intake.ts'
import { watchHeads } from './part-heads.ts'

const mostTextBytes = 4096

export type FileForm<Saved> = { saved: Saved; filename: string; texts: Map<string, string> }

/**
 * Rejects with `invalid_request` for a form that is broken or cut off, `invalid_field` where it has not one `file`, and
 * as `save` does; what was saved is then dropped.
 */
export async function readFileForm<Saved extends { drop: () => void }> (
  request: FastifyRequest,
  save: (file: AsyncIterable<Buffer>) => Promise<Saved>
): Promise<FileForm<Saved>> {
  const watch = watchBody(request, Infinity)
  const heads = watchHeads(request.headers['content-type'], mostParts)
  request.raw.on('data', heads.see)
  const texts = new Map<string, string>()
  let file: { saved: Saved; filename: string } | undefined
  const reading = readParts()
  try {
    await Promise.race([reading, watch.failed])
    if (!file) throw invalidField('/file', 'is required')
    return { ...file, texts }
  } catch (error) {
    reading.catch(() => {}).finally(() => file?.saved.drop())
    throw explainForm(error, heads.names())
  } finally {
    request.raw.off('data', heads.see) // the rest of what was refused still flows
  }

  async function readParts () {
    for await (const part of request.parts({ limits: { fileSize: request.bodyLimit } })) {
      if (part.type !== 'file') continue // every part is read as its bytes
      const { fieldname: name, filename } = part
      if (typeof name !== 'string') throw new ServerError('invalid_request', 'A part of the form has no name')
      if (texts.has(name) || (name === 'file' && file)) {
        throw invalidField(`/${escapeName(name)}`, 'is given more than once')
      }
      if (name === 'file') file = { saved: await save(part.file), filename: filename || 'requests.jsonl' }
      else texts.set(name, await readText(name, part.file))
    }
    if (heads.hasStray()) throw strayPart()
  }
}

async function readText (name: string, source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > mostTextBytes) throw tooManyBytes(`The field ${escapeName(name)} of the form`, mostTextBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
