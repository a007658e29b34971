/** The server in this process, asked without a socket: the same code, so the same bytes. */
import { buffer } from 'node:stream/consumers'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../config/config.ts'
import { StartError } from '../../config/variables.ts'
import { createMetrics } from '../../metrics.ts'
import { createRegistry } from '../../registry/registry.ts'
import { checkModels } from '../../start-errors.ts'
import { wrongUsage } from '../endings.ts'
import { readVersion, root } from '../root.ts'
import { isObject } from '../settings.ts'
import { followEvents } from './events.ts'
import type { Answer, Peer, Question } from './peer.ts'

/** For one user, who is known. */
const alone = {
  LAVIT_KEYS_FILE: '',
  LAVIT_ADMIN_KEY: '',
  LAVIT_BATCH_DIR: '', // a server's
  LAVIT_CLIENT_SHARE: '1',
  LAVIT_GRACE_MS: '0'
}
const silent = { info () {}, warn () {}, error () {} }

/** Takes the server's variables, but for its keys. Rejects with an Ending where they cannot work. */
export async function openEmbedded (env: Record<string, string | undefined>): Promise<Peer> {
  const config = readCheckedConfig({ ...env, ...alone })
  const registry = createRegistry({ ...config, log: silent })
  const app = await buildApp({ config, registry, metrics: createMetrics(), version: readVersion() })
  await app.ready()
  return { ask, close: () => app.close() }

  async function ask ({ path, body, accept = 'application/json', signal, onEvent }: Question): Promise<Answer> {
    if (body !== undefined) await load(modelOf(body))
    const response = await app.inject({
      url: path,
      headers: { accept: onEvent ? 'text/event-stream' : accept },
      signal,
      payloadAsStream: true,
      ...(isObject(body) && { method: 'POST', payload: body })
    })
    const { statusCode: status, headers } = response
    if (onEvent && status === 200) return followEvents(response.stream(), onEvent)
    return { status, header: name => headers[name]?.toString(), body: await buffer(response.stream()) }
  }

  /** Waits for a model; why it cannot be had is the answer's to say. */
  async function load (name = config.defaultModel) {
    await registry.load(name).catch(() => {})
  }
}

function readCheckedConfig (env: Record<string, string | undefined>) {
  try {
    const config = readConfig(env, root)
    checkModels(config)
    return config
  } catch (error) {
    throw error instanceof StartError ? wrongUsage(error.message) : error
  }
}

function modelOf (body: unknown): string | undefined {
  return isObject(body) && typeof body.model === 'string' ? body.model : undefined
}
