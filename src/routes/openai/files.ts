/** /v1/files: files of requests for batches, and what batches have written, by OpenAI's clients. */
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { diskFullError } from '../../batches/files.ts'
import { pageOf } from '../../batches/page.ts'
import { isDiskFull } from '../../bulk/files.ts'
import { ServerError, invalidField, type ErrorCode } from '../../errors.ts'
import { readFileForm } from '../../plugins/file-form.ts'
import { ref } from '../../schemas/common.ts'
import { DeletedFile, StoredFile, StoredFiles, UploadRequest } from '../../schemas/openai/files.ts'
import { listQuery, readQuery } from './lists.ts'

const params = Type.Object({
  id: Type.String({ description: 'Name of a file', examples: ['file-3Zk1vYx0cQ8t9yq5kT3n7vEx'] })
})
const query = listQuery(10_000, {
  order: Type.Optional(Type.Enum(['asc', 'desc'], { description: 'By their age; `desc`, newest first, if not given' })),
  purpose: Type.Optional(Type.String({ description: 'Only those of this purpose' }))
})
const errors: ErrorCode[] = ['file_not_found', 'batches_unavailable']
const one = { produces: [], isCheap: true, errors }
const jsonLines = Type.Unsafe<Readable>({ type: 'string', description: 'JSON in lines' })
const formBytes = 65_536 // of a form beside its file

type Options = { batchFileBytes: number; batchKeepHours: number }

const routes: FastifyPluginAsyncTypebox<Options> = async (app, { batchFileBytes: mostFileBytes, batchKeepHours }) => {
  app.post(
    '/v1/files',
    {
      config: {
        produces: [],
        streamedBytes: mostFileBytes + formBytes,
        errors: ['invalid_field', 'batches_unavailable', 'storage_full']
      },
      validatorCompiler: () => () => true, // it goes to the disk unseen, and is checked as a batch's
      schema: {
        operationId: 'createFile',
        tags: ['batches'],
        summary: 'Keep a file of requests',
        description:
          `A form with the file as \`file\` and \`purpose\` \`batch\`. At most ${mostFileBytes} bytes, which go to ` +
          'the disk as they arrive; what the file holds is checked when a batch is made of it.',
        consumes: ['multipart/form-data'],
        body: ref(UploadRequest),
        response: { 200: ref(StoredFile, 'The file, as it is kept') }
      }
    },
    async request => {
      const { files } = app.desk()
      const { owner } = request
      const form = await readFileForm(request, file => files.receive(owner, file))
      try {
        checkPurpose(form.texts.get('purpose'))
        const seconds = readKeepSeconds(form.texts, batchKeepHours * 3600)
        const filename = form.filename.slice(0, 200)
        return await files.add(form.saved, { owner, filename, purpose: 'batch', keepSeconds: seconds })
      } catch (error) {
        form.saved.drop()
        throw isDiskFull(error) ? diskFullError() : error
      }
    }
  )

  app.get(
    '/v1/files',
    {
      config: { produces: [], isCheap: true, errors: ['invalid_field', 'batches_unavailable'] },
      preValidation: readQuery,
      schema: {
        operationId: 'listFiles',
        tags: ['batches'],
        summary: 'Which files there are',
        description: 'Those that this key has sent and those that its batches have written.',
        querystring: query,
        response: { 200: ref(StoredFiles, 'Files, newest first') }
      }
    },
    async request => {
      const { after, limit = 10_000, order, purpose } = request.query
      const all = app.desk().files.list(request.owner).filter(file => purpose === undefined || file.purpose === purpose)
      return pageOf(order === 'asc' ? all.reverse() : all, { limit, ...(after !== undefined && { after }) })
    }
  )

  app.get(
    '/v1/files/:id',
    {
      config: one,
      schema: {
        operationId: 'getFile',
        tags: ['batches'],
        summary: 'One file',
        description: 'What is known of a file, without what it holds.',
        params,
        response: { 200: ref(StoredFile, 'The file, without its content') }
      }
    },
    async request => find(request.owner, request.params.id)
  )

  app.get(
    '/v1/files/:id/content',
    {
      config: one,
      schema: {
        operationId: 'getFileContent',
        tags: ['batches'],
        summary: 'What a file holds',
        description: 'The very bytes that were sent, or the rows that a batch has written.',
        params,
        response: {
          200: {
            description: 'The content of the file',
            content: { 'application/jsonl': { schema: jsonLines } }
          }
        }
      }
    },
    async (request, reply) => {
      const { id, bytes } = find(request.owner, request.params.id)
      return reply.type('application/jsonl').header('content-length', bytes).send(app.desk().files.read(id))
    }
  )

  app.delete(
    '/v1/files/:id',
    {
      config: one,
      schema: {
        operationId: 'deleteFile',
        tags: ['batches'],
        summary: 'Remove a file',
        description: 'It is gone at once; a batch that was made of it goes on.',
        params,
        response: { 200: ref(DeletedFile, 'That the file is gone') }
      }
    },
    async request => {
      const { id } = find(request.owner, request.params.id)
      app.desk().files.remove(id)
      return { id, object: 'file' as const, deleted: true as const }
    }
  )

  function find (owner: string, id: string) {
    const file = app.desk().files.find(owner, id)
    if (file) return file
    throw new ServerError('file_not_found', 'There is no file of this name')
  }
}

function checkPurpose (purpose: string | undefined) {
  if (purpose === undefined) throw invalidField('/purpose', 'is required')
  if (purpose !== 'batch') throw invalidField('/purpose', 'must be batch: files are kept for batches alone')
}

/** As asked for, and as long as the server keeps files at most. */
function readKeepSeconds (texts: Map<string, string>, most: number): number {
  const anchor = texts.get('expires_after[anchor]') ?? ''
  if (anchor !== '' && anchor !== 'created_at') throw invalidField('/expires_after/anchor', 'must be created_at')
  const text = texts.get('expires_after[seconds]') ?? ''
  if (text === '') return most
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(seconds) || seconds < 3600 || seconds > 2_592_000) {
    throw invalidField('/expires_after/seconds', 'must be a whole number from 3600 to 2592000')
  }
  return Math.min(seconds, most)
}

export default routes
