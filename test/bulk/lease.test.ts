// covers: src/bulk/process.ts
/** One holder at a time, whatever the others saw before; who has ended holds nothing. */
import { spawnSync } from 'node:child_process'
import fs, { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { takeLease, type Holder, type LeaseOptions } from '../../src/bulk/lease.ts'
import { markOfProcess } from '../../src/bulk/process.ts'

const ended = 2 ** 22 + 1 // above the largest number of a process
const here = markOfProcess().host
const gone = { pid: ended, host: here, token: 'x', deaths: 0 }

function setUp (t: Test, holder?: Partial<Holder> | string, ageSeconds = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'lavit-lease-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
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
  const other = { ...gone, pid: process.ppid }
  const start = startOf(process.ppid)
  const { boot } = markOfProcess()
  const cases: [why: string, holder: Partial<Holder> | string, deaths?: number | undefined, later?: number][] = [
    ['it has ended', gone, 1],
    ['it had the number that this process has now', { ...gone, pid: process.pid }, 1],
    ['it had the number that another process has now', { ...other, start: '1' }, 1],
    ['it had died before', { ...gone, deaths: 3 }, 4],
    ['it gave the thing back', { ...gone, isFree: true, deaths: 3 }, 3],
    ['it lives', other, undefined, 1],
    ['it lives for sure', { ...other, start, boot }, undefined, 1],
    ['it may live elsewhere', { ...gone, host: 'elsewhere' }, undefined, 1],
    ['the machine was started anew', { ...other, start, boot: 'before' }, undefined, 1],
    ['it asks for more patience', { ...gone, host: 'elsewhere', holdMs: 60_000 }],
    ['it is being written', '', undefined, 1]
  ]
  const looks = cases.map(([why, holder, deaths, later]) => {
    const { take } = setUp(t, holder)
    t.equal(take({ holdMs: 50 })?.deaths, deaths, why)
    return { why, take, later }
  })
  await new Promise(resolve => setTimeout(resolve, 60))
  for (const { why, take, later } of looks) {
    if (later !== undefined) t.equal(take({ holdMs: 50 })?.deaths, later, `${why}, and was silent`)
  }
  t.equal(looks.at(-2)?.take({ holdMs: 50 }), undefined)
})

t.test('one that surely lives keeps the thing where it may; a number alone is no proof', async t => {
  const boot = { boot: markOfProcess().boot }
  const other = { ...gone, pid: process.ppid }
  const sure = setUp(t, { ...other, ...boot, start: startOf(process.ppid) })
  const unsure = setUp(t, other)
  const options = { holdMs: 50, keepsLiving: true }
  t.strictSame([sure.take(options), unsure.take(options)], [undefined, undefined])
  await new Promise(resolve => setTimeout(resolve, 60))
  t.equal(sure.take(options), undefined)
  t.match(unsure.take(options), { deaths: 1 })
})

t.test('a holder elsewhere whose clock is an hour off is judged by what is seen of it', async t => {
  for (const ageSeconds of [3600, -3600]) {
    const { folder, take } = setUp(t, { ...gone, host: 'elsewhere' }, ageSeconds)
    t.equal(take({ holdMs: 50 }), undefined)
    await new Promise(resolve => setTimeout(resolve, 60))
    const renewed = Date.now() / 1000 - ageSeconds + 1
    utimesSync(join(folder, 'a.0'), renewed, renewed)
    t.equal(take({ holdMs: 50 }), undefined, 'it has renewed its lease')
    await new Promise(resolve => setTimeout(resolve, 60))
    t.match(take({ holdMs: 50 }), { deaths: 1 })
  }
})

t.test('a lease tells how long its holder may be silent, when it began, and since which boot', async t => {
  const { folder, take } = setUp(t)
  take({ holdMs: 7000 })
  const { boot } = markOfProcess()
  t.match(JSON.parse(readFileSync(join(folder, 'a.0'), 'utf8')), { holdMs: 7000, boot, start: startOf(process.pid) })
})

t.test('without /proc the number of a process has to do', async t => {
  const { markOfProcess, stateOf } = await t.mockImport<typeof import('../../src/bulk/process.ts')>(
    '../../src/bulk/process.ts',
  { 'node:fs': { ...fs, readFileSync: missing, readlinkSync: missing } }
  )
  const mark = markOfProcess()
  t.strictSame(mark, { pid: process.pid, host: hostname(), boot: undefined, start: undefined })
  t.equal(stateOf({ ...mark, pid: process.ppid }), 'unsure')
  t.equal(stateOf({ ...mark, pid: ended }), 'ended')
  t.equal(stateOf({ ...mark, host: 'elsewhere' }), 'elsewhere')
})

function missing () {
  throw new Error('there is no such file')
}

/** As `ps` counts it, in ticks of the kernel. */
function startOf (pid: number) {
  return spawnSync('awk', ['{ sub(/^.*\\) /, ""); print $20 }', `/proc/${pid}/stat`]).stdout.toString().trim()
}

/** Its `others` come between what it reads and what it writes. */
async function takeLate (t: Test, folder: string, others: () => void) {
  const late = await t.mockImport<typeof import('../../src/bulk/lease.ts')>('../../src/bulk/lease.ts', {
    'node:fs': {
      ...fs,
      readFileSync (path: string, encoding: 'utf8') {
        const text = readFileSync(path, encoding)
        if (path.startsWith(folder)) others()
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
