/** A connection to NATS, which comes back by itself, and which of its faults may pass. */
import { readFileSync } from 'node:fs'
import { JetStreamApiError, jetstream } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { messageOf, serverAway, wrongUsage } from '../endings.ts'

export type NatsServer = {
  url: string
  /** A file of credentials, as `nsc` writes it. */
  creds?: string | undefined
  /** How long an answer is waited for. */
  answerMs?: number
}

const publishedAtOnce = 256
const holdsOneAlready = 10077 // the server's code for a subject that may hold no more

/** Rejects with an Ending. */
export async function connectTo ({ url: text, creds, answerMs = 20_000 }: NatsServer): Promise<NatsConnection> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url?.hostname || !/^(nats|tls):$/.test(url.protocol)) {
    throw wrongUsage(`--shards-from: ${JSON.stringify(text)} is none of folder, index, nats://HOST and tls://HOST`)
  }
  const { hostname, port, protocol } = url
  const [user = '', pass = ''] = [url.username, url.password].map(decode)
  if (creds !== undefined && user) throw wrongUsage('--creds: the address of --shards-from names a user already')
  return connect({
    servers: `${hostname}:${port || 4222}`,
    name: 'lavit bulk',
    timeout: answerMs,
    maxReconnectAttempts: -1, // whoever asks gives up in its own time
    ...(creds !== undefined && { authenticator: credsAuthenticator(readCreds(creds)) }),
    ...(pass ? { user, pass } : user ? { token: user } : {}),
    ...(protocol === 'tls:' && { tls: {} })
  }).catch(error => {
    throw serverAway(`${protocol}//${url.host} does not answer: ${messageOf(error)}`)
  })
}

/** Every shard once, whoever else does so: its message has an id, and its subject holds one. */
export async function publish (connection: NatsConnection, stream: string, shards: string[]) {
  const client = jetstream(connection)
  for (let i = 0; i < shards.length; i += publishedAtOnce) {
    await Promise.all(
      shards.slice(i, i + publishedAtOnce).map(shard =>
        client.publish(`${stream}.${shard}`, undefined, { msgID: shard }).catch(error => {
          if (!(error instanceof JetStreamApiError) || error.code !== holdsOneAlready) throw error
        })
      )
    )
  }
}

/** Whether a server that is away may come back, or one that starts has no leader yet. */
export function mayPass (error: unknown, connection: NatsConnection): boolean {
  if (connection.isClosed()) return false
  return !(error instanceof JetStreamApiError) || error.status === 503
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrongUsage('--shards-from: the user or the password of the address has a % that begins no character')
  }
}

function readCreds (path: string): Uint8Array {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw wrongUsage(`--creds: ${messageOf(error)}`)
  }
  const isWhole = ['NATS USER JWT', 'USER NKEY SEED'].every(part => text.includes(`BEGIN ${part}`))
  if (!isWhole) throw wrongUsage(`--creds: ${path} is no file of credentials, with a user's JWT and seed`)
  return Buffer.from(text)
}
