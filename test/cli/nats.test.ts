// covers: src/cli/bulk/nats.ts src/cli/bulk/nats-connection.ts src/cli/bulk/returns.ts
/** Queues that cannot be had, and one that goes away. What one does that is there is tried by .ci/bulk. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { openFolder } from '../../src/cli/bulk/folder.ts'
import type { Job } from '../../src/cli/bulk/job.ts'
import { openQueue } from '../../src/cli/bulk/nats.ts'
import { countReturn, deathsOf } from '../../src/cli/bulk/returns.ts'
import { lavit } from './fixtures/lavit.ts'
import { makeCreds } from './fixtures/nats-creds.ts'
import { startNats } from './fixtures/nats-port.ts'
import { startPeer } from './fixtures/peer.ts'

const job: Job = {
  version: 1, id: 'a', model: 'mini', digest: 'b', tasks: { caption: {} }, shard_size: 1, pictures: 2, inputs: 'c'
}

function open (t: Test, url: string, signal = new AbortController().signal) {
  const folder = openFolder(t.testdir())
  const retries = () => {
    let left = 3
    return () => (left-- > 0 ? 0.01 : undefined)
  }
  return openQueue(folder, job, ['00000', '00001'], { url, answerMs: 200, holdSeconds: 3, atOnce: 1, retries, signal })
}

t.test('the words of a queue that cannot be had', async t => {
  const { url } = await startPeer(t)
  const folder = t.testdir({ 'a.png': '', 'no.creds': 'a seed', 'a.creds': '' })
  const creds = join(folder, 'a.creds')
  writeFileSync(creds, makeCreds(nkeys.createAccount(), nkeys.createUser()))
  const refusing = await startNats(t, { greet: () => "-ERR 'Authorization Violation'\r\n" })
  const cases: [words: string[], code: number, told: RegExp][] = [
    [['http://127.0.0.1:1'], 2, /"http:\/\/127.0.0.1:1" is none of folder, index, nats:\/\/HOST and tls:\/\/HOST/],
    [['nats://'], 2, /"nats:\/\/" is none of folder/],
    [['nats:///x'], 2, /is none of folder/],
    [['nats://127.0.0.1:99999'], 2, /is none of folder/],
    [['nats://a%zz@127.0.0.1:1'], 2, /^error: --shards-from: the user or the password .* %/],
    [['nats://a:secret%zz@127.0.0.1:1'], 2, /^error: --shards-from: the user or the password .* %/],
    [['nats://127.0.0.1:1'], 3, /nats:\/\/127.0.0.1:1 does not answer: /],
    [[refusing], 3, /does not answer: .*Authorization Violation/],
    [[refusing, '--creds', join(folder, 'none.creds')], 2, /--creds: ENOENT/],
    [[refusing, '--creds', join(folder, 'no.creds')], 2, /--creds: .*no.creds is no file of credentials/],
    [[refusing.replace('//', '//me:secret@'), '--creds', creds], 2, /--creds: .* names a user already/],
    [['folder', '--creds', creds], 2, /--creds: .* nats:\/\/HOST/]
  ]
  for (const [[from = '', ...words], code, told] of cases) {
    const ended = await lavit([
      'bulk', join(folder, 'a.png'), '--out', join(folder, 'out'), '--url', url, '--shards-from', from, ...words
    ])
    t.match(ended, { code, stderr: told })
    t.match(ended.stderr, /^.*\n$/, 'one line')
    t.notMatch(ended.stderr, 'secret')
  }
})

t.test("credentials are the user's token, and its seed signs what the server asks to", async t => {
  const account = nkeys.createAccount()
  const user = nkeys.createUser()
  const folder = t.testdir()
  const creds = join(folder, 'a.creds')
  writeFileSync(creds, makeCreds(account, user))
  let seen: Record<string, string> = {}
  const url = await startNats(t, {
    info: { auth_required: true, nonce: 'once' },
    greet (connect) {
      seen = connect
      return "-ERR 'Authorization Violation'\r\n"
    }
  })
  const options = { url, creds, holdSeconds: 1, atOnce: 1, signal: new AbortController().signal }
  await t.rejects(openQueue(openFolder(folder), job, [], options), { message: /does not answer/ })
  const { sub } = JSON.parse(Buffer.from(seen.jwt?.split('.')[1] ?? '', 'base64url').toString())
  t.equal(sub, user.getPublicKey())
  t.ok(user.verify(Buffer.from('once'), Buffer.from(seen.sig ?? '', 'base64url')))
})

t.test('one without JetStream is given up', async t => {
  const silent = await startNats(t)
  await t.rejects(open(t, silent), { message: /the queue of shards cannot be had: / })
})

t.test('one that goes away is waited for, and then given up', async t => {
  let asked = 0
  const url = await startNats(t, {
    answer (subject, stop) {
      if (subject.includes('CONSUMER.MSG.NEXT')) return stop()
      asked++
      if (subject.startsWith('lavit-bulk-')) return { stream: 'x', seq: 1 }
      return { config: { ack_wait: 3e9 }, num_pending: 1, num_ack_pending: 0, created: new Date().toISOString() }
    }
  })
  const queue = await open(t, url)
  t.ok(asked >= 5, 'the stream, its consumer, a message for each shard')
  await t.rejects(queue.next(), { message: /the queue of shards fails: / })
  await queue.close()
})

t.test('deliveries that came back from a worker that lived are no deaths', t => {
  const folder = openFolder(t.testdir())
  t.equal(deathsOf(folder, '00000', 1), 0)
  t.equal(deathsOf(folder, '00000', 3), 2)
  countReturn(folder, '00000')
  t.equal(deathsOf(folder, '00000', 3), 1)
  countReturn(folder, '00000')
  countReturn(folder, '00000')
  t.equal(deathsOf(folder, '00000', 3), 0)
  t.equal(deathsOf(folder, '00001', 3), 2, 'of its own shard')
  t.end()
})
