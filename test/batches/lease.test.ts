/** One server at a time has the folder. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { waitForLease } from '../../src/batches/lease.ts'
import { markOfProcess } from '../../src/bulk/process.ts'

function wait (t: Test, folder: string, onTaken = () => {}) {
  const seen = { taken: 0, lost: 0, warned: 0 }
  const lease = waitForLease(folder, {
    onTaken () {
      seen.taken++
      onTaken()
    },
    onLost: async () => seen.lost++,
    log: { warn: () => seen.warned++ }
  })
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
  const holder = { ...markOfProcess(), pid: process.ppid, start: undefined, token: 'x', deaths: 0 }
  writeFileSync(join(folder, 'server.0'), JSON.stringify(holder))
  const lease = wait(t, folder)
  t.notOk(lease.isHeld())
  lease.release()
  writeFileSync(join(folder, 'server.0'), JSON.stringify({ ...holder, isFree: true }))
  await new Promise(resolve => setTimeout(resolve, 600))
  t.notOk(lease.isHeld())
  t.equal(lease.seen.taken, 0)
})

t.test('one that cannot begin gives the folder back and tries again, and warns once', async t => {
  const folder = t.testdir()
  const fail = () => {
    throw new Error('EROFS')
  }
  t.throws(() => wait(t, folder, fail), /EROFS/, 'at the start it is told')
  const first = wait(t, folder)
  t.ok(first.isHeld(), 'nobody has it')
  let isBroken = true
  const second = wait(t, folder, () => isBroken && fail())
  first.release()
  while (second.seen.taken < 2) await new Promise(resolve => setTimeout(resolve, 20))
  t.notOk(second.isHeld())
  isBroken = false
  while (!second.isHeld()) await new Promise(resolve => setTimeout(resolve, 20))
  t.match(second.seen, { lost: 0, warned: 1 })
})

t.test('what cannot be given back is warned of', async t => {
  const folder = t.testdir()
  const lease = wait(t, folder)
  rmSync(join(folder, 'server.0'))
  mkdirSync(join(folder, 'server.0'))
  lease.release()
  t.equal(lease.seen.warned, 1)
})
