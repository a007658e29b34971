/**
 * Shards from a work queue of NATS JetStream: a message for each, which a worker acknowledges when the shard is done,
 * and until then says that it goes on. Of who does not, another gets it.
 */
import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  type JetStreamManager,
  type JsMsg
} from '@nats-io/jetstream'
import { connect, nanos, millis, type NatsConnection } from '@nats-io/transport-node'
import { messageOf, serverAway, wrongUsage } from '../endings.ts'
import type { Folder } from './folder.ts'
import { digestOf, type Job } from './job.ts'
import type { Claim, ShardSource } from './source.ts'

type Options = {
  url: string
  /** How long a worker may be silent. */
  holdSeconds: number
  /** Shards that all workers together may have; the others wait. */
  atOnce: number
  signal: AbortSignal
}

const consumer = 'workers'
const mostDeliveries = 20 // of a shard: two for itself and two for each picture that kills
const publishedAtOnce = 256
const holdsOneAlready = 10077 // the server's code for a subject that may hold no more

/** Rejects with an Ending where the queue cannot be had. */
export async function openQueue (folder: Folder, job: Job, shards: string[], options: Options): Promise<ShardSource> {
  const connection = await connectTo(options.url)
  try {
    const stream = `lavit-bulk-${digestOf(JSON.stringify(job)).slice(0, 16)}`
    const manager = await jetstreamManager(connection)
    const ackWaitMs = await prepare(manager, stream, options)
    await publish(connection, stream, shards.filter(shard => !folder.isDone(shard)))
    return createQueue({ connection, manager, stream, ackWaitMs, folder, shards, signal: options.signal })
  } catch (error) {
    await connection.close()
    throw serverAway(`${options.url}: ${messageOf(error)}`)
  }
}

type Queue = {
  connection: NatsConnection
  manager: JetStreamManager
  stream: string
  ackWaitMs: number
  folder: Folder
  shards: string[]
  signal: AbortSignal
}

function createQueue ({ connection, manager, stream, ackWaitMs, folder, shards, signal }: Queue): ShardSource {
  const client = jetstream(connection)
  let left = shards
  return { next, shards, close }

  async function next (): Promise<Claim | undefined> {
    const queue = await client.consumers.get(stream, consumer).catch(unlessDone)
    if (queue === undefined) return undefined
    for (;;) {
      signal.throwIfAborted()
      const message = await queue.next({ expires: 1000 }).catch(unlessDone)
      const claim = message ? await claimOf(message) : undefined
      if (claim) return claim
      if (message) continue
      if (isDone()) return undefined
      const { num_pending: waiting, num_ack_pending: held } = await manager.consumers.info(stream, consumer)
      if (waiting + held === 0) return undefined // what is left was given out too often
    }
  }

  /** The last worker removes the queue, under others that find all done. */
  function unlessDone (error: unknown) {
    if (isDone()) return undefined
    throw serverAway(`the queue of shards fails: ${messageOf(error)}`)
  }

  function isDone () {
    left = left.filter(shard => !folder.isDone(shard))
    return left.length === 0
  }

  async function claimOf (message: JsMsg): Promise<Claim | undefined> {
    const shard = message.subject.slice(stream.length + 1)
    if (folder.isDone(shard)) {
      message.ack()
      return undefined
    }
    message.working()
    const renewal = setInterval(() => !connection.isClosed() && message.working(), ackWaitMs / 3)
    return {
      shard,
      deaths: message.info.deliveryCount - 1,
      async end (isDone) {
        clearInterval(renewal)
        if (connection.isClosed()) return
        if (isDone) await message.ackAck().catch(() => false) // else another gets it, and sees that it is done
        else message.nak()
      }
    }
  }

  async function close () {
    if (!connection.isClosed() && !signal.aborted) {
      const info = await manager.consumers.info(stream, consumer).catch(() => undefined)
      if (info && info.num_pending + info.num_ack_pending === 0) await manager.streams.delete(stream).catch(() => {})
    }
    await connection.drain().catch(() => {})
  }
}

async function connectTo (text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^(nats|tls):$/.test(url.protocol)) {
    throw wrongUsage(`--shards-from: ${JSON.stringify(text)} is none of folder, index, nats://HOST and tls://HOST`)
  }
  const { hostname, port, protocol } = url
  const user = decodeURIComponent(url.username)
  const pass = decodeURIComponent(url.password)
  return connect({
    servers: `${hostname}:${port || 4222}`,
    name: 'lavit bulk',
    ...(pass ? { user, pass } : user ? { token: user } : {}),
    ...(protocol === 'tls:' && { tls: {} })
  }).catch(error => {
    throw serverAway(`${protocol}//${url.host} does not answer: ${messageOf(error)}`)
  })
}

/** Sees to the stream and its consumer; tells the time that a silent worker has, which the first one set. */
async function prepare (manager: JetStreamManager, stream: string, { holdSeconds, atOnce }: Options) {
  await manager.streams.add({
    name: stream,
    subjects: [`${stream}.*`],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: 1
  })
  const wanted = {
    durable_name: consumer,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(holdSeconds * 1000),
    max_deliver: mostDeliveries,
    max_ack_pending: atOnce
  }
  const { config } = await manager.consumers
    .info(stream, consumer)
    .catch(() => manager.consumers.add(stream, wanted))
  return millis(config.ack_wait ?? wanted.ack_wait)
}

/** Every shard once, whoever else does so: its message has an id, and its subject holds one. */
async function publish (connection: NatsConnection, stream: string, shards: string[]) {
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
