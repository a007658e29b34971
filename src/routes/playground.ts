/** GET /: the playground, a page that asks the routes of this server as any client would. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import serveFiles from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { ServerError } from '../errors.ts'
import { askForWhole } from '../plugins/whole-files.ts'

/** The page needs no more than files of its own and answers of this server. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

const yearSeconds = 31_536_000

/** `folder` holds what `npm run build` made of `playground/`. The page opens without a key, and asks for one itself. */
const routes: FastifyPluginAsync<{ folder: string | undefined }> = async (app, { folder }) => {
  app.addHook('onRoute', route => {
    route.config = { ...route.config, produces: [], scope: false, whileDraining: true }
  })
  if (folder === undefined || !existsSync(join(folder, 'index.html'))) {
    app.get('/', async () => {
      throw new ServerError('not_found', 'The page is not built: `npm run build` does it. See /docs')
    })
    return
  }
  app.addHook('onRequest', askForWhole)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', policy)
  })
  await app.register(serveFiles, {
    root: folder,
    wildcard: false,
    globIgnore: ['**/*.br', '**/*.gz'],
    preCompressed: true,
    acceptRanges: false,
    cacheControl: false,
    setHeaders (reply, path) {
      // files have their digest in their names, but for the page that names them
      const isPage = /index\.html(\.br|\.gz)?$/.test(path)
      reply.header('cache-control', isPage ? 'no-cache' : `public, max-age=${yearSeconds}, immutable`)
    }
  })
}

export default routes
