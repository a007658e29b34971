/** What workers leave behind when they die, and who goes on with it. `KILLS=50` kills more of them. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openFolder } from '../../src/cli/bulk/folder.ts'
import type { Holder } from '../../src/bulk/lease.ts'
import { markOfProcess } from '../../src/bulk/process.ts'
import { createLeases } from '../../src/cli/bulk/leases.ts'
import { openPieces } from '../../src/cli/bulk/pieces.ts'
import { bytesOf, createKiller, workUntilDone, writePictures } from '../bulk/workers.ts'
import { startPeer } from './fixtures/peer.ts'

const row = { text: '{}', tokens: [1], usage: { visual_tokens: 1, completion_tokens: 0 } }

/** A shard whose holder has ended. */
function setUp (t: Test) {
  const folder = openFolder(t.testdir({ out: {} }))
  const gone: Holder = { pid: process.pid, host: markOfProcess().host, token: 'other', deaths: 0 }
  writeFileSync(join(folder.leases, '00000.0'), JSON.stringify(gone))
  return folder
}

t.test('a shard of a worker that is gone is taken over, and its death counts', async t => {
  const { signal } = new AbortController()
  const leases = createLeases(setUp(t), ['00000'], { holdSeconds: 60, signal })
  const claim = await leases.next()
  t.match(claim, { shard: '00000', deaths: 1 })
  await claim?.end(false)
  t.match(await leases.next(), { deaths: 1 }, 'what is given back has not died')
})

t.test('one of many takes a shard over', async t => {
  const folder = setUp(t)
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
