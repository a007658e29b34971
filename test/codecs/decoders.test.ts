// covers: src/codecs/decoder.ts src/codecs/decoder-client.ts
import * as processes from 'node:child_process'
import { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import t from 'tap'
import { createDecoders } from '../../src/codecs/decoders.ts'
import type { PictureFile, PictureWork } from '../../src/codecs/pixels.ts'

const work: PictureWork = { kind: 'squash', size: 4 }
const squashed = Buffer.concat([Buffer.alloc(16, 255), Buffer.alloc(32)])

async function fileOf (side: number): Promise<PictureFile> {
  const bytes = await sharp({ create: { width: side, height: side, channels: 3, background: '#ff0000' } })
    .png()
    .toBuffer()
  return { bytes, format: 'png', width: side, height: side, isProgressive: false }
}

const entry = fileURLToPath(new URL('../../src/codecs/decoder.ts', import.meta.url))
const small = await fileOf(5)
const large = await fileOf(10)

/** Until the process is no more. */
async function isGone (pid: number | undefined) {
  for (;;) {
    try {
      process.kill(pid!, 0)
    } catch {
      return
    }
    await pause(5)
  }
}

t.test('more pictures than processes all come out', async t => {
  const decoders = createDecoders({ count: 2 })
  const results = await Promise.all(Array.from({ length: 9 }, (_, i) => decoders.run(i % 2 ? small : large, work)))
  for (const result of results) t.strictSame(result, squashed)
  t.strictSame(decoders.counts(), { waiting: 0, running: 0, idle: 2 })
})

t.test('what waits, and how it ends', async t => {
  const decoders = createDecoders({ count: 1, mostWaitingPixels: 100 })

  await t.test('a full queue refuses, and who leaves it makes room at once', async t => {
    const client = new AbortController()
    const first = decoders.run(small, work)
    const second = decoders.run(large, work, client.signal)
    await t.rejects(decoders.run(large, work), { code: 'queue_full', retryAfterSeconds: 1 })
    const reason = new Error('gone')
    client.abort(reason)
    t.equal(await second.catch(error => error), reason)
    const third = decoders.run(large, work)
    t.strictSame(await Promise.all([first, third]), [squashed, squashed])
    await t.rejects(decoders.run(small, work, client.signal), reason)
  })

  await t.test('what cannot be read leaves its process as it is', async t => {
    const pids = decoders.pids()
    await t.rejects(decoders.run({ ...large, bytes: large.bytes.subarray(0, 60) }, work), { code: 'image_unreadable' })
    t.strictSame(await decoders.run(small, work), squashed)
    t.strictSame(decoders.pids(), pids)
  })
})

t.test('large pictures leave a process free, and share the memory', async t => {
  const decoders = createDecoders({ count: 2, largePixels: 50 })
  const tasks = [large, large].map(file => decoders.run(file, work))
  t.strictSame(decoders.counts(), { running: 1, waiting: 1, idle: 0 })
  tasks.push(decoders.run(small, work))
  t.strictSame(decoders.counts(), { running: 2, waiting: 1, idle: 0 })
  for (const result of await Promise.all(tasks)) t.strictSame(result, squashed)

  const tight = createDecoders({ count: 3, largePixels: 50, mostPixels: 150 })
  const both = [large, large].map(file => tight.run(file, work))
  t.strictSame(tight.counts(), { running: 1, waiting: 1, idle: 0 }, 'no memory for two')
  for (const result of await Promise.all(both)) t.strictSame(result, squashed)
})

t.test('a large picture that nobody waits for is cut off', async t => {
  const decoders = createDecoders({ count: 1, largePixels: 50 })
  const client = new AbortController()
  const abandoned = decoders.run(large, work, client.signal)
  const [pid] = decoders.pids()
  client.abort(new Error('gone'))
  await t.rejects(abandoned, { message: 'gone' })
  await isGone(pid)
  t.strictSame(await decoders.run(large, work), squashed)
})

t.test('a decode that takes too long is ended with its process', async t => {
  const decoders = createDecoders({ count: 1, mostMs: 1 }) // sooner than a megapixel is squashed
  const endless = decoders.run(await fileOf(1000), work)
  const [pid] = decoders.pids()
  await t.rejects(endless, { code: 'image_unreadable', message: /too long/ })
  await isGone(pid)
  t.equal(decoders.counts().waiting, 0)
})

t.test('a process that has done its share gives way to a fresh one, and no picture is lost', async t => {
  const decoders = createDecoders({ count: 1, mostPictures: 2 })
  const pids = new Set<number | undefined>()
  const results = Array.from({ length: 5 }, async () => {
    const result = await decoders.run(small, work)
    for (const pid of decoders.pids()) pids.add(pid)
    return result
  })
  for (const result of await Promise.all(results)) t.strictSame(result, squashed)
  t.equal(pids.size, 3)
  t.strictSame(decoders.counts(), { waiting: 0, running: 0, idle: 1 })
})

t.test('a process that dies is replaced, at work and at rest; a file that ends two is refused', async t => {
  const decoders = createDecoders({ count: 1 })
  const interrupted = decoders.run(small, work)
  const [first] = decoders.pids()
  process.kill(first!, 'SIGKILL')
  t.strictSame(await interrupted, squashed)
  const [second] = decoders.pids()
  t.not(second, first)
  process.kill(second!, 'SIGKILL')
  while (decoders.pids().length > 0) await pause(5)

  const deadly = t.rejects(decoders.run(small, work), { code: 'image_unreadable' })
  const killed = new Set<number | undefined>()
  while (killed.size < 2) {
    for (const pid of decoders.pids()) {
      if (!killed.has(pid)) process.kill(pid!, 'SIGKILL')
      killed.add(pid)
    }
    await pause(1)
  }
  await deadly
  t.strictSame(await decoders.run(small, work), squashed)
})

t.test('where the system has no room for a process a picture waits for those at work, or is sent away', async t => {
  const full: Record<string, () => unknown> = {
    'file descriptors ran out': () => new EventEmitter(), // as spawn gives it back: without any stream
    'no memory is left' () { throw new Error('spawn ENOMEM') },
    'too many processes' () { return processes.spawn('/nowhere/at/all', { stdio: ['pipe', 'pipe', 'ignore'] }) }
  }
  for (const [why, fail] of Object.entries(full)) {
    let isFull = true
    const spawn = (command: string, _args: string[], options: processes.SpawnOptions) => {
      return isFull ? fail() : processes.spawn(command, [...process.execArgv, entry], options)
    }
    const { createDecoders } = await t.mockImport<typeof import('../../src/codecs/decoders.ts')>(
      '../../src/codecs/decoders.ts',
    { 'node:child_process': { ...processes, spawn } }
    )
    const decoders = createDecoders({ count: 2 })
    decoders.warm()
    await pause(50)
    await t.rejects(decoders.run(small, work), { code: 'queue_full', retryAfterSeconds: 1 }, why)
    t.strictSame(decoders.counts(), { waiting: 0, running: 0, idle: 0 })
    isFull = false
    const first = decoders.run(small, work)
    isFull = why !== 'too many processes' // which shows when it is too late to wait
    t.strictSame(await Promise.all([first, decoders.run(small, work)]), [squashed, squashed], why)
  }
})
