/** Every example request of the document, sent as it stands to the embedded model. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import sharp from 'sharp'
import t from 'tap'
import type { Document, Media, Operation } from '../src/plugins/document/shape.ts'
import { startApp } from './fixtures/embedded-app.ts'
import { form } from './helper.ts'

type Sent = { type: string; headers: Record<string, string>; payload: string | Buffer }

t.test('every example request of the document is answered as the document says', async t => {
  const app = await startApp(t, { LAVIT_BATCH_DIR: t.testdir() })
  const sentFile = form([['purpose', 'batch'], ['file', '{}']])
  const { id: fileId } = (await app.inject({ method: 'POST', url: '/v1/files', ...sentFile })).json()
  for (const url of ['/openapi.json', '/openapi.generators.json']) {
    const document = (await app.inject(url)).json() as Document
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'document', ...withoutDialect(document) })
    for (const [path, { post }] of Object.entries(document.paths)) {
      if (!post?.requestBody) continue
      const sent = await requestsOf(post)
      t.strictSame(
        [...new Set(sent.map(({ type }) => type))],
        Object.keys(post.requestBody.content),
        `${url} ${path} has an example of every type`
      )
      for (const { type, headers, payload: example } of sent) {
        const payload = typeof example === 'string' ? example.replace(/file-\w+/, fileId) : example
        const answer = await app.inject({ method: 'POST', url: path + queryOf(post, type), headers, payload })
        t.equal(answer.statusCode, 200, `${path} ${type}: ${answer.body.slice(0, 200)}`)
        const operation = `document#/paths/${path.replaceAll('/', '~1')}/post`
        const pointer = `${operation}/responses/200/content/application~1json/schema`
        const check = ajv.getSchema(pointer) ?? ajv.compile({ $ref: pointer })
        t.ok(check(answer.json()), JSON.stringify(check.errors))
      }
    }
  }
})

/** Examples of JSON and forms as they stand; of a picture's type one such picture. */
async function requestsOf ({ requestBody }: Operation): Promise<Sent[]> {
  const sent: Sent[] = []
  for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
    if (type.startsWith('image/')) {
      sent.push({ type, headers: { 'content-type': type }, payload: await pictureOf(type) })
    }
    for (const value of examplesOf(media)) {
      if (type === 'application/json') {
        sent.push({ type, headers: { 'content-type': type }, payload: JSON.stringify(value) })
      }
      if (type === 'multipart/form-data') sent.push({ type, ...form(fieldsOf(value)) })
    }
  }
  return sent
}

function examplesOf ({ example, examples = {} }: Media[string]): object[] {
  const values = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
  return values.filter((value): value is object => typeof value === 'object' && value !== null)
}

function fieldsOf (value: object): [string, string][] {
  return Object.entries(value).flatMap(([name, values]) =>
    [values].flat().map((item): [string, string] => [name, String(item)])
  )
}

/** The options that a picture needs beside it, from the form's example. */
function queryOf ({ requestBody }: Operation, type: string) {
  if (!type.startsWith('image/')) return ''
  const { example } = requestBody?.content['multipart/form-data'] ?? {}
  const fields = typeof example === 'object' && example !== null ? fieldsOf(example) : []
  return `?${new URLSearchParams(fields.filter(([name]) => name !== 'image'))}`
}

async function pictureOf (type: string) {
  const picture = sharp({ create: { width: 32, height: 32, channels: 3, background: '#3050d0' } })
  const name = type.slice('image/'.length)
  if (name === 'png' || name === 'jpeg' || name === 'webp' || name === 'gif' || name === 'avif') {
    return await picture.toFormat(name).toBuffer()
  }
  throw new Error(`no picture of ${type}`)
}

/** What says 3.0 otherwise than JSON Schema, as JSON Schema says it. */
function withoutDialect (document: Document): object {
  return JSON.parse(JSON.stringify(document), (_name, value) => {
    if (value?.nullable === true) return { anyOf: [{ ...value, nullable: undefined }, { type: 'null' }] }
    if (value?.exclusiveMinimum === true) return { ...value, exclusiveMinimum: value.minimum }
    return value
  })
}
