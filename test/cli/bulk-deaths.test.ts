/** What workers leave behind when they die, and who goes on with it. `KILLS=50` kills more of them. */
import { readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openFolder } from '../../src/cli/bulk/folder.ts'
import { placeOfProcess } from '../../src/bulk/process.ts'
import { createLeases, type Holder } from '../../src/cli/bulk/leases.ts'
import { openPieces } from '../../src/cli/bulk/pieces.ts'
import { bytesOf, createKiller, workUntilDone, writePictures } from '../bulk/workers.ts'
import { startPeer } from './fixtures/peer.ts'

const row = { text: '{}', tokens: [1], usage: { visual_tokens: 1, completion_tokens: 0 } }

function setUp (t: Test, holder: Partial<Holder>, ageSeconds = 0) {
  const folder = openFolder(t.testdir({ out: {} }))
  const whole: Holder = { pid: process.pid, host: placeOfProcess(), token: 'other', deaths: 0, ...holder }
  writeFileSync(folder.lease('00000', 0), JSON.stringify(whole))
  const then = Date.now() / 1000 - ageSeconds
  utimesSync(folder.lease('00000', 0), then, then)
  const stop = new AbortController()
  const leases = createLeases(folder, ['00000'], { holdSeconds: 60, signal: stop.signal })
  return { folder, leases, stop }
}

t.test('a shard of a worker that is gone is taken over, and its death counts', async t => {
  const elsewhere = { host: 'elsewhere' }
  const cases: [why: string, holder: Partial<Holder>, ageSeconds: number, deaths: number][] = [
    ['it had the id that this process has now, as in a container that was begun again', {}, 0, 1],
    ['it had died before', { deaths: 3 }, 0, 4],
    ['it gave the shard back', { isFree: true, deaths: 3 }, 0, 3],
    ['it lives, and has not spoken for long', { pid: process.ppid }, 61, 1],
    ['it has not spoken for long elsewhere', elsewhere, 61, 1]
  ]
  for (const [why, holder, age, deaths] of cases) {
    const { leases, folder } = setUp(t, holder, age)
    const claim = await leases.next()
    t.match(claim, { shard: '00000', deaths }, why)
    await claim?.end(false)
    t.match(await leases.next(), { deaths }, 'what is given back has not died')
    t.equal(folder.leasesOf('00000').length, 3)
  }
})

t.test('a shard of a worker that may live is left to it', async t => {
  for (const holder of [{ pid: process.ppid }, { host: 'elsewhere' }]) {
    const { leases, stop } = setUp(t, holder)
    setTimeout(() => stop.abort(), 50)
    await t.rejects(leases.next(), { name: 'AbortError' })
  }
})

t.test('one of many takes a shard over', async t => {
  const { folder } = setUp(t, {}, 61)
  const signal = AbortSignal.timeout(300)
  const all = Array.from({ length: 8 }, () => createLeases(folder, ['00000'], { holdSeconds: 60, signal }).next())
  const taken = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled')
  t.equal(taken.length, 1)
})

t.test('a picture that three workers did not survive alone is none of the others', async t => {
  const folder = openFolder(t.testdir({ out: {} }))
  const pieces = await openPieces(folder, '00000')
  let made = 0
  const make = async () => ({ ...row, text: String(made++) })
  t.match(await pieces(0, make), { text: '0' })
  t.match(await pieces(0, make), { text: '0' }, 'a row that is there is kept')
  const die = () => writeFileSync(join(folder.pieces('00000'), `1.begun-${deaths++}`), '')
  let deaths = 0
  die()
  await t.rejects(pieces(1, async () => { throw new Error('stopped') }), /stopped/)
  die()
  await t.rejects(pieces(1, async () => { throw new Error('stopped') }), /stopped/, 'there is hope')
  die()
  t.equal(await pieces(1, make), undefined)
  t.match(await pieces(11, make), { text: '1' })
  t.match(await pieces(2, async () => ({ ...row, isUncertain: true })), { isUncertain: true })
  t.match(await pieces(2, make), { text: '2' }, 'an engine that ends is no reason to keep a row')
})

t.test('workers killed at random and at one picture make what one makes undisturbed', async t => {
  const kills = Number(process.env.KILLS ?? 4)
  const base = t.testdir({})
  const [pictures, out] = [join(base, 'pictures'), join(base, 'out')]
  writePictures(pictures, 60 + 40 * kills)
  const killer = createKiller(kills, 1)
  const { url } = await startPeer(t, {
    delayMs ({ key = '' }) {
      killer.onAsked(key)
      return 10
    }
  })
  const words = [pictures, '--do', 'caption,tokenize', '--shard-size', '10', '--url', url]
  await workUntilDone([...words, '--out', `${out}0`, '--in-flight', '20'])
  const work = () => workUntilDone([...words, '--out', out, '--in-flight', '2'], killer.onStart)
  const ends = await Promise.all([work(), work(), work()])
  t.equal(killer.killed(), kills)
  t.strictSame(bytesOf(out), bytesOf(`${out}0`))
  const aside = join(pictures, `${String((60 + 40 * kills) >> 1).padStart(6, '0')}.png`)
  for (const { code, stderr } of ends) t.match({ code, stderr }, { code: 1, stderr: `${aside}: set aside` })
  t.match(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')), {
    pictures: 60 + 40 * kills,
    failed: { worker_died: 1 },
    set_aside: [aside]
  })
  for (const name of ['work', 'leases', 'pieces']) t.strictSame(readdirSync(join(out, name)), [], name)
})
