/** The OpenAPI document and its page: what the routes declare, plus what follows from their configuration. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyContextConfig } from 'fastify'
import fp from 'fastify-plugin'
import type { ErrorCode } from '../errors.ts'
import { complete } from './document/complete.ts'
import { forGenerators } from './document/generators.ts'
import type { DocumentLimits } from './document/limits.ts'
import { servesText } from './document/serve.ts'
import { isDocument, type Document } from './document/shape.ts'
import { askForWhole } from './whole-files.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Unknown fields are ignored, and so are those of a job that are null. */
    isOpen?: boolean
    /** What the route can answer besides the errors of every route. */
    errors?: ErrorCode[]
    /** Answers 304 to a client that has these very bytes. */
    hasETag?: boolean
  }
}

const title = 'LaVIT Server'
const description =
  'One model that turns a picture into a variable number of visual tokens and reads and writes them beside words. ' +
  'Errors are problem documents (RFC 9457). Every answer carries `x-request-id` and `Server-Timing`. ' +
  '`/openapi.generators.json` says the same with one form of each request and answer, for programs that write ' +
  'clients.\n\nThe embedded model, `lavit-mini`, knows a closed world, pictograms on coloured grounds; about ' +
  'anything else, a photograph too, it answers with the same confidence, and wrongly.'

export default fp<{ version: string; limits: DocumentLimits }>(
  async (app, { version, limits }) => {
    const configs = new Map<string, FastifyContextConfig>()
    app.addHook('onRoute', ({ schema, config = {} }) => {
      if (schema?.operationId) configs.set(schema.operationId, config)
    })

    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title,
          version,
          description,
          contact: { name: 'The maintainers of LaVIT Server' },
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
        },
        security: [{}, { apiKey: [] }],
        tags: [
          { name: 'jobs', description: 'What the model does' },
          { name: 'models', description: 'Which models there are, and loading them' },
          { name: 'openai', description: "The same jobs in the wire format of OpenAI's clients" },
          { name: 'batches', description: "Files of requests done in the background, by OpenAI's clients" },
          { name: 'operations', description: 'For those who run the server' }
        ],
        components: {
          securitySchemes: {
            apiKey: {
              type: 'http',
              scheme: 'bearer',
              description:
                'A key of the server, where it asks for one; it may also be sent as `x-api-key`. Loading and ' +
                'unloading always needs a key with the scope `admin`, metrics one with `metrics`, all else `infer`.'
            }
          }
        }
      },
      hideUntagged: true,
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) =>
          typeof json.$id === 'string' ? json.$id : `def-${index}`
      },
      transformObject (part) {
        if (!('openapiObject' in part)) throw new Error('the document is not of OpenAPI 3')
        complete(asDocument(part.openapiObject), configs, limits)
        return part.openapiObject
      }
    })

    await app.register(async page => {
      // opens without a key, so that a browser can give one by its Authorize button
      page.addHook('onRoute', route => {
        route.config = { ...route.config, scope: false, produces: [] }
      })
      page.addHook('onRequest', askForWhole)
      await page.register(swaggerUi, {
        routePrefix: '/docs',
        indexPrefix: '.', // its files hang below the page, whatever path a proxy puts before it
        theme: { title, css: [{ filename: 'page.css', content: '.swagger-ui .topbar { display: none }' }] },
        uiConfig: { persistAuthorization: false, tryItOutEnabled: true, displayRequestDuration: true },
        // the page styles itself
        transformStaticCSP: policy => policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
        // read from below /docs
        transformSpecification: (document: object) => ({ ...document, servers: [{ url: '..' }] })
      })
    })

    const documentOf = () => asDocument(app.swagger())
    const documents = [
      {
        url: '/openapi.json',
        id: 'getOpenapi',
        summary: 'This document',
        about: 'The contract in OpenAPI 3.1; `/docs` shows it as a page.',
        write: documentOf
      },
      {
        url: '/openapi.generators.json',
        id: 'getOpenapiForGenerators',
        summary: 'The document for generators',
        about:
          'The contract in OpenAPI 3.0 with JSON alone in requests and one type of answer for each status: for ' +
          'programs that write clients.',
        write: () => forGenerators(documentOf())
      }
    ]
    for (const { url, id, summary, about, write } of documents) {
      app.get(
        url,
        {
          compress: false, // its forms are made once, each with its ETag
          config: { hasETag: true },
          schema: {
            operationId: id,
            tags: ['operations'],
            summary,
            description: about,
            response: { 200: { type: 'object', additionalProperties: true, description: summary } }
          }
        },
        servesText('application/json', () => JSON.stringify(write()))
      )
    }
  },
  { name: 'openapi' }
)

function asDocument (value: object): Document {
  if (!isDocument(value)) throw new Error('the document lacks a part')
  return value
}
