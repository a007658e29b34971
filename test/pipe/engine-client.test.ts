// covers: src/pipe/closing.ts
// covers: src/engine/main.ts src/engine/warm-up.ts src/pipe/engine-errors.ts src/pipe/engine-process.ts
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Part, Work } from '../../src/pipe/work.ts'
import { createEngineClient } from '../../src/pipe/engine-client.ts'
import { isUnread } from '../../src/pipe/engine-errors.ts'
import { ServerError } from '../../src/errors.ts'
import type { Manifest } from '../../src/package/manifest.ts'
import { readManifest } from '../../src/package/package.ts'
import { createLog, engineDefaults, packageFiles, work } from '../fixtures/package.ts'

t.setTimeout(120_000) // every engine is a process of its own

t.test('an open engine', async t => {
  const { client, lines, reports } = startClient(t)
  t.match(await client.ready, { device: 'cpu:0' }, 'says its device')

  t.test('answers each request with its own result', async t => {
    const answers = await Promise.all([
      client.submit(work('answered')),
      client.submit(work('slow')),
      client.submit(work('answered'))
    ])
    const ids = answers.map(({ result }) => result.pictures[0]!.pixels[0]!)
    t.strictSame(ids, [ids[0], ids[0]! + 1, ids[0]! + 2])
    t.match(answers[0], { timings: { paint: 1 }, result: { pictures: [{ pixels: Uint8Array }] } })
  })

  t.test('passes on parts to who asked for them, before the answer', async t => {
    const parts: Part[] = []
    await client.submit(work('told'), { onPart: part => parts.push(part) })
    t.strictSame(
      parts,
      [7, 8].map(tokenId => ({ kind: 'token', sample: 0, tokenId }))
    )
    await client.submit(work('told'))
    t.equal(parts.length, 2)
  })

  t.test('rebuilds its errors by code', t =>
    t.rejects(client.submit(work('refused')), { code: 'queue_full', statusCode: 429, retryAfterSeconds: 7 })
  )

  t.test('ends a request once, keeps the last counts and passes on what it writes', async t => {
    await client.submit(work('answeredTwice'))
    t.match(client.counts(), { running: 1, slotsInUse: 2, queuedCost: 3 })
    t.match(reports, [{ running: 1 }])
    await client.submit(work('slow'))
    t.match(lines.at(-1), { level: 'warn', message: 'a line for the log' })
  })

  t.test('ends with its signal and the reason of that, and tells the engine', async t => {
    const reason = new ServerError('deadline_exceeded', 'late')
    const controller = new AbortController()
    const late = client.submit(work('held'), { signal: controller.signal })
    controller.abort(reason)
    t.equal(await late.catch(error => error), reason)
    await t.rejects(client.submit(work('answered'), { signal: controller.signal }), reason)
    const { result } = await client.submit(work('answered'), { signal: new AbortController().signal })
    t.equal(result.pictures[0]!.codes.length, 1, 'one cancel arrived, what was refused never left')
  })

  t.test('takes as many requests as it may have, and says when to come back', async t => {
    const held = Array.from({ length: 4 }, () => client.submit(work('slow')))
    await t.rejects(client.submit(work('answered')), { code: 'queue_full', statusCode: 429, retryAfterSeconds: 1 })
    await Promise.all(held)
    await client.submit(work('answered'))
  })

  t.test('takes its requests along when it dies', async t => {
    const held = client.submit(work('held'))
    const fatal = client.submit(work('fatal'))
    await t.rejects(held, { code: 'engine_restarting', statusCode: 503, retryAfterSeconds: Number })
    await t.rejects(fatal, { code: 'engine_restarting' })
    const late = client.submit(work('answered'))
    await t.rejects(late, { code: 'engine_restarting' })
    t.ok(isUnread(await late.catch(error => error)))
    t.notOk(isUnread(await held.catch(error => error)))
    t.equal(await client.ended, 'SIGKILL')
    t.match(client.counts(), { running: 0 })
  })
})

t.test('closing lets requests finish, takes no new ones, and is no crash', async t => {
  const { client } = startClient(t)
  await client.ready
  const slow = client.submit(work('slow'))
  const held = client.submit(work('held'))
  const closed = client.close(600)
  await t.rejects(client.submit(work('answered')), { code: 'draining' })
  await slow
  await t.rejects(held, { code: 'draining' }, 'what is left after the grace time')
  await closed
  t.throws(() => process.kill(client.pid!, 0), { code: 'ESRCH' })
})

t.test('one that hangs is killed; what it had read ends, and what it had not can be sent to another', async t => {
  const { client, lines } = startClient(t, { engineTimeoutMs: 1000 })
  await client.ready
  await client.submit(work('answered'))
  const read = client.submit(work('stopping'))
  const unread = client.submit(work('answered')).catch(error => error)
  await t.rejects(read, { code: 'engine_restarting' })
  t.ok(isUnread(await unread))
  t.equal(await client.ended, 'SIGKILL')
  t.match(lines, [{ level: 'error', message: 'engine hangs', fields: { enginePid: client.pid, silentMs: 1000 } }])
})

t.test('the real engine answers captions, and a new process the next one after a kill', async t => {
  const folder = join(import.meta.dirname, '../../models/lavit-mini')
  const manifest = readManifest(folder)
  const { log } = createLog()
  const start = async () => {
    const client = createEngineClient({
      device: 'cpu',
      threads: 1,
      slots: 16,
      queueLimit: 64,
      queueCost: 1_000_000,
      engineTimeoutMs: 0,
      folder,
      manifest,
      log
    })
    t.teardown(() => client.close())
    t.match(await client.ready, { device: 'cpu' })
    return client
  }

  const first = await start()
  const { result } = await first.submit(caption(manifest, 24))
  t.match(result, { sequences: [{ ids: Array, finishReason: 'length' }], visualTokens: Number })
  const cut = Array.from({ length: 8 }, () => first.submit(caption(manifest, 150)))
  while (first.counts().running === 0) await pause(5)
  process.kill(first.pid!, 'SIGKILL')
  for (const outcome of await Promise.allSettled(cut)) {
    t.match(outcome, { status: 'rejected', reason: { code: 'engine_restarting' } })
  }
  t.equal(await first.ended, 'SIGKILL')

  const second = await start()
  t.strictSame((await second.submit(caption(manifest, 24))).result, result, 'the same answer as before')
})

t.test('the real engine names the graph that does not open, and the log has the cause', async t => {
  const folder = join(import.meta.dirname, '../../models/lavit-mini')
  const manifest = readManifest(folder)
  const { log, lines } = createLog()
  const broken = { ...manifest, graphs: { ...manifest.graphs, vision: manifest.tokenizer } }
  const client = createEngineClient({
    device: 'cpu',
    threads: 1,
    slots: 1,
    queueLimit: 1,
    queueCost: 1,
    folder,
    engineTimeoutMs: 0,
    manifest: broken,
    log
  })
  t.teardown(() => client.close())
  await t.rejects(client.ready, {
    code: 'model_unavailable',
    message: 'the engine cannot open its graph vision on the device cpu'
  })
  t.ok(
    lines.some(({ fields }) => 'detail' in fields && /^the graph vision does not open: ./.test(String(fields.detail)))
  )
})

/** The work of a greedy caption of a grey picture, of a given length. */
function caption ({ image: { size }, ids }: Manifest, tokens: number): Extract<Work, { task: 'text' }> {
  return {
    task: 'text',
    segments: [
      { kind: 'ids', ids: [ids.image_start] },
      {
        kind: 'features',
        picture: {
          pixels: new Uint8Array(3 * size * size).fill(128),
          selection: { rule: 'threshold', keepThreshold: 0.5, seed: 0 }
        }
      },
      { kind: 'ids', ids: [ids.image_end] }
    ],
    sampling: { maxTokens: tokens, minTokens: tokens, temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 },
    numBeams: 1,
    lengthPenalty: 1,
    earlyStopping: false,
    n: 1
  }
}

function startClient (t: Test, options: { engineTimeoutMs?: number } = {}) {
  const folder = join(t.testdir({ small: packageFiles('small') }), 'small')
  const { log, lines } = createLog()
  const reports: unknown[] = []
  const client = createEngineClient({
    ...engineDefaults,
    ...options,
    folder,
    manifest: readManifest(folder),
    log,
    onCounts: counts => reports.push(counts)
  })
  t.teardown(() => client.close())
  return { client, lines, reports }
}
