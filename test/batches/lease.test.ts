// covers: src/bulk/process.ts
/** One holder at a time; who has ended holds nothing. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { placeOfProcess } from '../../src/bulk/process.ts'
import { waitForLease } from '../../src/batches/lease.ts'

const ended = 2 ** 22 + 1 // above the largest number of a process

function wait (t: Test, path: string) {
  const seen = { taken: 0, lost: 0 }
  const lease = waitForLease(path, { onTaken: () => seen.taken++, onLost: () => seen.lost++ })
  t.teardown(() => lease.release())
  return { ...lease, seen }
}

async function until (check: () => boolean) {
  while (!check()) await new Promise(resolve => setTimeout(resolve, 20))
}

t.test('the second one waits for the first', async t => {
  const path = join(t.testdir(), 'server.json')
  const first = wait(t, path)
  const second = wait(t, path)
  t.ok(first.isHeld())
  t.notOk(second.isHeld())
  first.release()
  await until(second.isHeld)
  t.match(second.seen, { taken: 1, lost: 0 })
  second.release()
  t.notOk(existsSync(path))
})

t.test('one that was killed is followed: at once on this machine, after a minute on another', async t => {
  const path = join(t.testdir(), 'server.json')
  const held: [holder: object, isGone: boolean][] = [
    [{ pid: ended, host: placeOfProcess(), token: 'x' }, true],
    [{ pid: process.pid, host: placeOfProcess(), token: 'of a process before this one' }, true],
    [{ pid: 1, host: placeOfProcess(), token: 'x' }, false],
    [{ pid: ended, host: 'another', token: 'x' }, false]
  ]
  for (const [holder, isGone] of held) {
    writeFileSync(path, JSON.stringify(holder))
    const lease = wait(t, path)
    t.equal(lease.isHeld(), isGone, JSON.stringify(holder))
    lease.release()
  }
  utimesSync(path, new Date(), new Date(Date.now() - 61_000))
  t.ok(wait(t, path).isHeld())
})

t.test('who finds another in its place stops', async t => {
  const path = join(t.testdir(), 'server.json')
  const lease = wait(t, path)
  writeFileSync(path, JSON.stringify({ pid: 1, host: placeOfProcess(), token: 'x' }))
  await until(() => !lease.isHeld())
  t.equal(lease.seen.lost, 1)
  lease.release()
  t.match(readFileSync(path, 'utf8'), /"x"/, 'and leaves it there')
})
