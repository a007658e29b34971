/** One server at a time has the folder. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { waitForLease } from '../../src/batches/lease.ts'
import { markOfProcess } from '../../src/bulk/process.ts'

function wait (t: Test, folder: string) {
  const seen = { taken: 0, lost: 0 }
  const lease = waitForLease(folder, { onTaken: () => seen.taken++, onLost: () => seen.lost++ })
  t.teardown(() => lease.release())
  return { ...lease, seen }
}

t.test('the second one waits for the first', async t => {
  const folder = t.testdir()
  const first = wait(t, folder)
  const second = wait(t, folder)
  t.ok(first.isHeld())
  t.notOk(second.isHeld())
  first.release()
  while (!second.isHeld()) await new Promise(resolve => setTimeout(resolve, 20))
  t.match([first.seen, second.seen], [{ taken: 1, lost: 0 }, { taken: 1, lost: 0 }])
})

t.test('one on this machine that lives keeps the folder, and one that waits no more takes nothing', async t => {
  const folder = t.testdir()
  const holder = { pid: process.ppid, host: markOfProcess().host, token: 'x', deaths: 0 }
  writeFileSync(join(folder, 'server.0'), JSON.stringify(holder))
  const lease = wait(t, folder)
  t.notOk(lease.isHeld())
  lease.release()
  writeFileSync(join(folder, 'server.0'), JSON.stringify({ ...holder, isFree: true }))
  await new Promise(resolve => setTimeout(resolve, 600))
  t.notOk(lease.isHeld())
  t.equal(lease.seen.taken, 0)
})
