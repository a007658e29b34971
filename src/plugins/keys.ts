/** Who may ask for what: a key for every route where keys are configured, its scopes, its rate, its share. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createShares, type Shares } from '../admission/shares.ts'
import type { Config } from '../config/config.ts'
import type { Scope } from '../config/keys.ts'
import { ServerError } from '../errors.ts'
import { createAllowance, windowSeconds, type Allowance } from './allowance.ts'
import { onBehalf } from './behalf.ts'
import { onEnd } from './end.ts'
import { openKeyring } from './keyring.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the key that asks; empty where the server asks for none. */
    owner: string
  }
  interface FastifyContextConfig {
    /** What a key must allow; `infer` where nothing is said, and no key is asked for where it is `false`. */
    scope?: Scope | false
    /** Asks for no work: takes a tenth of a request of a key's rate, and nothing of its share. */
    isCheap?: boolean
  }
}

const cheap = 0.1 // of a request

export default fp<Pick<Config, 'keysFile' | 'adminKey' | 'queueLimit'>>(
  async (app, { keysFile, adminKey, queueLimit }) => {
    const keyring = openKeyring({ keysFile, adminKey }, app.log)
    app.addHook('onClose', async () => keyring.close())
    app.decorateRequest('owner', '')
    const allowances = new Map<string, Allowance>()
    const shares = new Map<string, { most: number; places: Shares }>()

    app.addHook('onRequest', async (request, reply) => {
      const { scope = 'infer', job, isCheap = false } = request.routeOptions.config
      if (scope === false || (scope !== 'admin' && !keyring.isClosed)) return
      if (!keyring.isClosed && keyring.isEmpty()) {
        throw new ServerError('forbidden', 'No admin key is configured, so this route is switched off')
      }
      const asker = onBehalf.getStore()
      const key = asker ? keyring.named(asker.owner) : findKey(request)
      if (key === undefined) throw new ServerError('unauthorized', 'This is no key of the server')
      request.owner = key.name
      request.log = reply.log = request.log.child({ key: key.name })
      if (key.rate !== undefined && !asker) checkRate(reply, key.name, key.rate, isCheap ? cheap : 1)
      if (!request.is404 && !key.scopes.includes(scope)) {
        throw new ServerError('forbidden', `The route needs a key with the scope ${scope}`)
      }
      if (!job) return
      request.job.owner = request.job.client = key.name
      if (!isCheap && key.share !== undefined) takePlace(request, reply, key.name, key.share)
    })

    function findKey (request: FastifyRequest) {
      const secret = secretOf(request)
      if (secret !== undefined) return keyring.find(secret)
      throw new ServerError('unauthorized', 'The request needs a key, as `Authorization: Bearer KEY`')
    }

    /** Throws `rate_limited`. The headers are those of draft-ietf-httpapi-ratelimit-headers. */
    function checkRate (reply: FastifyReply, name: string, rate: number, amount: number) {
      const known = allowances.get(name)
      const allowance = known?.perMinute === rate ? known : createAllowance(rate)
      allowances.set(name, allowance)
      const { isAllowed, left, fullSeconds, waitSeconds } = allowance.take(amount)
      reply.header('ratelimit-policy', `"requests";q=${rate};w=${windowSeconds}`)
      reply.header('ratelimit', `"requests";r=${left};t=${fullSeconds}`)
      if (isAllowed) return
      throw new ServerError('rate_limited', `The key may ask ${rate} times a minute`, {
        retryAfterSeconds: waitSeconds
      })
    }

    /** Throws `queue_full`. A share of less than one request is one. */
    function takePlace (request: FastifyRequest, reply: FastifyReply, name: string, share: number) {
      const most = Math.max(1, Math.floor(share * queueLimit))
      const known = shares.get(name)
      const { places } = known?.most === most ? known : { places: createPlaces(most) }
      shares.set(name, { most, places })
      const place = places.hold(name)
      place.take(1)
      onEnd(request, reply, place.end)
    }
  },
  { name: 'keys', dependencies: ['jobs'] }
)

function createPlaces (most: number) {
  const full = `The key has ${most} requests in flight, as many as it may have`
  return createShares({ most, share: 1, words: { full, share: full } })
}

/** The key as clients send it: a bearer's token, or by itself. */
function secretOf ({ headers }: FastifyRequest): string | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
  const alone = headers['x-api-key']
  return bearer ?? (typeof alone === 'string' ? alone : undefined)
}
