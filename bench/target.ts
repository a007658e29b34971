/** Whom requests are sent to: a server behind a URL, asked over connections that stay open. */
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { Agent as SecureAgent, request as requestSecurely } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

/** One request, as it goes over the wire. */
export type Call = { path: string; type: string; body: Uint8Array }

export type Answer = { status: number; body: string; headers: IncomingHttpHeaders }

export type Target = {
  name: string
  url: string
  /** The server's process, where it was started here. */
  pid?: number | undefined
  ask: (call: Call) => Promise<Answer>
  get: (path: string) => Promise<Answer>
  stop: () => Promise<void>
}

export function createTarget (
  name: string,
  url: string,
  { pid, key, stop = async () => {} }: {
    pid?: number | undefined
    key?: string | undefined
    stop?: () => Promise<void>
  } = {}
): Target {
  const agent = new (url.startsWith('https:') ? SecureAgent : Agent)({ keepAlive: true, maxSockets: Infinity })
  const base = url.replace(/\/+$/, '') // which may have a path, behind a proxy
  const own: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {}
  return {
    name,
    url,
    pid,
    ask: ({ path, type, body }) => send(agent, new URL(base + path), { ...own, 'content-type': type }, body),
    get: path => send(agent, new URL(base + path), own),
    async stop () {
      agent.destroy()
      await stop()
    }
  }
}

/** Throws where the server does not say within two minutes that it is ready. */
export async function untilReady (target: Target, hasEnded = () => false): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (hasEnded()) throw new Error(`${target.name} ended before it was ready`)
    const answer = await target.get('/health/ready').catch(() => undefined)
    if (answer?.status === 200) return
    await pause(100)
  }
  throw new Error(`${target.name} was not ready within two minutes`)
}

function send (agent: Agent, url: URL, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { ...headers, ...(body && { 'content-length': body.length }) }
    const open = url.protocol === 'https:' ? requestSecurely : request
    const sent = open(url, { agent, method: body ? 'POST' : 'GET', headers: all }, response => {
      const parts: Buffer[] = []
      response.on('data', part => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, body: Buffer.concat(parts).toString(), headers })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
