// covers: src/bulk/process.ts
/** One holder at a time, whatever the others saw before; who has ended holds nothing. */
import fs, { readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { takeLease, type Holder, type LeaseOptions } from '../../src/bulk/lease.ts'
import { placeOfProcess } from '../../src/bulk/process.ts'

const ended = 2 ** 22 + 1 // above the largest number of a process
const here = placeOfProcess()
const gone = { pid: ended, host: here, token: 'x', deaths: 0 }

function setUp (t: Test, holder?: Partial<Holder> | string, ageSeconds = 0) {
  const folder = t.testdir()
  const file = join(folder, 'a.0')
  if (holder !== undefined) {
    writeFileSync(file, typeof holder === 'string' ? holder : JSON.stringify(holder))
    const then = Date.now() / 1000 - ageSeconds
    utimesSync(file, then, then)
  }
  const take = (more: Partial<LeaseOptions> = {}) => {
    const lease = takeLease({ folder, name: 'a', holdMs: 60_000, ...more })
    t.teardown(() => lease?.free())
    return lease
  }
  return { folder, take }
}

t.test('the second one waits for the first', async t => {
  const { folder, take } = setUp(t)
  const first = take()
  t.ok(first?.isHeld())
  t.equal(take(), undefined)
  t.ok(take({ name: 'b' }), 'of another thing')
  first?.free()
  t.notOk(first?.isHeld())
  const second = take()
  t.match(second, { deaths: 0 }, 'what was given back has not died')
  t.strictSame(readdirSync(folder).sort(), ['a.1', 'b.0'])
  second?.clear()
  t.strictSame(readdirSync(folder), ['b.0'])
  first?.free()
  t.strictSame(readdirSync(folder), ['b.0'], 'what is cleared stays so')
})

t.test('one that is gone is followed: at once on this machine, when it was silent on another', async t => {
  const cases: [why: string, holder: Partial<Holder> | string, ageSeconds: number, deaths?: number][] = [
    ['it has ended', gone, 0, 1],
    ['it had the number that this process has now', { ...gone, pid: process.pid }, 0, 1],
    ['it had died before', { ...gone, deaths: 3 }, 0, 4],
    ['it gave the thing back', { ...gone, isFree: true, deaths: 3 }, 0, 3],
    ['it lives', { ...gone, pid: process.ppid }, 0],
    ['it lives, and is silent', { ...gone, pid: process.ppid }, 61, 1],
    ['it may live elsewhere', { ...gone, host: 'elsewhere' }, 0],
    ['it is silent elsewhere', { ...gone, host: 'elsewhere' }, 61, 1],
    ['it is being written', '', 0],
    ['it was never written', '', 61, 1]
  ]
  for (const [why, holder, ageSeconds, deaths] of cases) {
    t.equal(setUp(t, holder, ageSeconds).take()?.deaths, deaths, why)
  }
  t.equal(setUp(t, { ...gone, pid: process.ppid }, 61).take({ keepsLiving: true }), undefined)
})

/** Its `others` come between what it reads and what it writes. */
async function takeLate (t: Test, folder: string, others: () => void) {
  const late = await t.mockImport<typeof import('../../src/bulk/lease.ts')>('../../src/bulk/lease.ts', {
    'node:fs': {
      ...fs,
      readFileSync (path: string, encoding: 'utf8') {
        const text = readFileSync(path, encoding)
        others()
        return text
      }
    }
  })
  return late.takeLease({ folder, name: 'a', holdMs: 60_000 })
}

t.test('two that find the same dead holder at the same moment', async t => {
  const { folder, take } = setUp(t, gone)
  let lease: ReturnType<typeof take>
  t.equal(await takeLate(t, folder, () => { lease = take() }), undefined)
  t.ok(lease?.isHeld())
  t.strictSame(readdirSync(folder), ['a.1'])
})

t.test('one that found a dead holder before others came and went', async t => {
  const { folder, take } = setUp(t, gone)
  let lease: ReturnType<typeof take>
  const others = () => {
    take()?.free()
    lease = take()
  }
  t.equal(await takeLate(t, folder, others), undefined)
  t.ok(lease?.isHeld())
  t.strictSame(readdirSync(folder), ['a.2'])
})

t.test('a lease is renewed, and who finds another in its place says so', async t => {
  const { folder, take } = setUp(t)
  const until = async (check: () => boolean) => {
    while (!check()) await new Promise(resolve => setTimeout(resolve, 5))
  }
  let isLost = false
  take({ holdMs: 100, onLost: () => { isLost = true } })
  const long = new Date(Date.now() - 3_600_000)
  utimesSync(join(folder, 'a.0'), long, long)
  await until(() => statSync(join(folder, 'a.0')).mtime > long)
  writeFileSync(join(folder, 'a.1'), JSON.stringify({ ...gone, pid: process.ppid }))
  await until(() => isLost)
  t.equal(take(), undefined)
  t.match(readFileSync(join(folder, 'a.1'), 'utf8'), '"x"', 'and leaves it there')
})
