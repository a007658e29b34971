/**
 * Shards from a work queue of NATS JetStream: a message for each, which a worker acknowledges when the shard is done,
 * and until then says that it goes on. Of who does not, another gets it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  AckPolicy,
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  type Consumer,
  type JetStreamManager,
  type JsMsg
} from '@nats-io/jetstream'
import { nanos, millis, type NatsConnection } from '@nats-io/transport-node'
import { createRetries, type PauseAfter } from '../../bulk/retries.ts'
import { messageOf, serverAway } from '../endings.ts'
import type { Folder } from './folder.ts'
import { digestOf, type Job } from './job.ts'
import { connectTo, mayPass, publish, type NatsServer } from './nats-connection.ts'
import { countReturn, deathsOf } from './returns.ts'
import type { Claim, ShardSource } from './source.ts'

type Options = NatsServer & {
  /** How long a worker may be silent. */
  holdSeconds: number
  /** Shards that all workers together may have; the others wait. */
  atOnce: number
  /** Of a queue that fails. */
  retries?: () => PauseAfter
  signal: AbortSignal
}

const consumer = 'workers'
const mostDeaths = 20 // of a shard: two for itself and two for each picture that kills
const drainMs = 2000
const pullMs = 1000

/** Rejects with an Ending where the queue cannot be had. */
export async function openQueue (folder: Folder, job: Job, shards: string[], options: Options): Promise<ShardSource> {
  const { retries = createRetries, answerMs = 5000, signal } = options
  const connection = await connectTo(options)
  try {
    const stream = `lavit-bulk-${digestOf(JSON.stringify(job)).slice(0, 16)}`
    const manager = await jetstreamManager(connection, { timeout: answerMs })
    const ackWaitMs = await prepare(manager, stream, options)
    await publish(connection, stream, shards.filter(shard => !folder.isDone(shard)))
    return createQueue({ connection, manager, stream, ackWaitMs, folder, shards, retries, answerMs, signal })
  } catch (error) {
    await connection.close()
    throw serverAway(`the queue of shards cannot be had: ${messageOf(error)}`)
  }
}

type Queue = {
  connection: NatsConnection
  manager: JetStreamManager
  stream: string
  ackWaitMs: number
  folder: Folder
  shards: string[]
  retries: () => PauseAfter
  answerMs: number
  signal: AbortSignal
}

function createQueue (queue: Queue): ShardSource {
  const { connection, manager, stream, ackWaitMs, folder, shards, retries, answerMs, signal } = queue
  const client = manager.jetstream()
  let left = shards
  return { next, shards, close }

  /** A queue that is away has its time to come back. */
  async function next (): Promise<Claim | undefined> {
    const pauseAfter = retries()
    for (;;) {
      try {
        return await takeFrom(await client.consumers.get(stream, consumer))
      } catch (error) {
        signal.throwIfAborted()
        if (isDone()) return undefined // the last worker has removed the queue
        const seconds = mayPass(error, connection) ? pauseAfter('away') : undefined
        if (seconds === undefined) throw serverAway(`the queue of shards fails: ${messageOf(error)}`)
        await pause(seconds * 1000, undefined, { signal })
      }
    }
  }

  async function takeFrom (queue: Consumer): Promise<Claim | undefined> {
    for (;;) {
      signal.throwIfAborted()
      const message = await nextOf(queue)
      const claim = message ? await claimOf(message) : undefined
      if (claim) return claim
      if (message) continue
      if (isDone()) return undefined
      const { num_pending: waiting, num_ack_pending: held } = await manager.consumers.info(stream, consumer)
      if (waiting + held === 0) return undefined // what is left was given out too often
    }
  }

  /** The client waits for ever where the connection is lost meanwhile. */
  async function nextOf (queue: Consumer): Promise<JsMsg | null> {
    const message = queue.next({ expires: pullMs })
    const end = new AbortController()
    const late = pause(pullMs + answerMs, undefined, { signal: end.signal }).then(() => {
      message.then(message => message && giveBack(message), () => {}) // for others, should it come after all
      throw new Error('the server is silent')
    })
    try {
      return await Promise.race([message, late])
    } finally {
      late.catch(() => {})
      end.abort()
    }
  }

  function isDone () {
    left = left.filter(shard => !folder.isDone(shard))
    return left.length === 0
  }

  async function claimOf (message: JsMsg): Promise<Claim | undefined> {
    const shard = shardOf(message)
    if (folder.isDone(shard)) {
      message.ack()
      return undefined
    }
    const deaths = deathsOf(folder, shard, message.info.deliveryCount)
    if (deaths >= mostDeaths) {
      message.term()
      return undefined
    }
    message.working()
    const renewal = setInterval(() => !connection.isClosed() && message.working(), ackWaitMs / 3)
    return {
      shard,
      deaths,
      async end (isDone) {
        clearInterval(renewal)
        if (!isDone) return giveBack(message)
        if (!connection.isClosed()) await message.ackAck().catch(() => false) // else another sees that it is done
      }
    }
  }

  function giveBack (message: JsMsg) {
    countReturn(folder, shardOf(message))
    if (!connection.isClosed()) message.nak()
  }

  function shardOf ({ subject }: JsMsg) {
    return subject.slice(stream.length + 1)
  }

  async function close () {
    if (!connection.isClosed() && !signal.aborted) {
      const info = await manager.consumers.info(stream, consumer).catch(() => undefined)
      if (info && info.num_pending + info.num_ack_pending === 0) await manager.streams.delete(stream).catch(() => {})
    }
    const isDrained = connection.drain().catch(() => {})
    await Promise.race([isDrained, pause(drainMs, undefined, { ref: false })]) // for ever, where the server is away
    await connection.close()
  }
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
    max_deliver: -1, // a worker that gives a shard back has not died
    max_ack_pending: atOnce
  }
  const { config } = await manager.consumers
    .info(stream, consumer)
    .catch(() => manager.consumers.add(stream, wanted))
  return millis(config.ack_wait ?? wanted.ack_wait)
}
