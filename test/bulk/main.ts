/**
 * Kills workers of `lavit bulk` at random moments and compares what they make with what one makes undisturbed: `main.ts
 * nats` or `folder`, `KILLS` and `SEED` in the environment. Writes lines `ok`, `not ok` and what was measured.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { makeOperator } from '../cli/fixtures/nats-creds.ts'
import { startPeer } from '../cli/fixtures/peer.ts'
import { bytesOf, createKiller, workUntilDone, writePictures } from './workers.ts'

const source = process.argv[2] ?? 'nats'
const kills = Number(process.env.KILLS ?? 6)
const seed = Number(process.env.SEED ?? 1)
const workers = 3
const pictures = 200 + 60 * kills
const ends: (() => unknown)[] = []
const base = mkdtempSync(join(tmpdir(), 'lavit-bulk-'))

try {
  await tryOut()
} finally {
  for (const end of ends) await end()
  rmSync(base, { recursive: true, force: true })
}

async function tryOut () {
  const [folder, out, undisturbed] = ['pictures', 'out', 'undisturbed'].map(name => join(base, name))
  if (!folder || !out || !undisturbed) return
  writePictures(folder, pictures)
  const killer = createKiller(kills, seed)
  const { url, asked } = await startPeer(
    { teardown: end => ends.push(end) },
    {
      delayMs ({ key = '' }) {
        killer.onAsked(key)
        return 10
      }
    }
  )
  const words = [folder, '--do', 'caption,tokenize', '--shard-size', '20', '--url', url]
  await workUntilDone([...words, '--out', undisturbed, '--in-flight', '20'])
  const needed = asked.length

  const shared = ['--out', out, '--in-flight', '2', '--hold', '3']
  if (source === 'nats') shared.push('--shards-from', await startNats(), '--creds', join(base, 'user.creds'))
  const from = performance.now()
  const work = () => workUntilDone([...words, ...shared], killer.onStart)
  const all = await Promise.all(Array.from({ length: workers }, work))
  const seconds = Math.round((performance.now() - from) / 1000)

  const aside = join(folder, `${String(pictures >> 1).padStart(6, '0')}.png`)
  const { set_aside: setAside, failed } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))
  const left = ['work', 'leases', 'pieces'].flatMap(name => readdirSync(join(out, name)))
  check(`${kills} workers were killed`, killer.killed() === kills)
  const isSame = isDeepStrictEqual(bytesOf(out), bytesOf(undisturbed))
  check('what is made is what one makes undisturbed, byte for byte', isSame)
  check('the picture that kills is set aside, alone', isDeepStrictEqual(setAside, [aside]))
  const problems = { image_unreadable: Math.ceil((pictures - 7) / 100), worker_died: 1 }
  check('the broken ones are rows', isDeepStrictEqual(failed, problems))
  check('workers end with 1', all.every(({ code }) => code === 1))
  check('they tell what was set aside', all.every(({ stderr }) => stderr.includes(`${aside}: set aside`)))
  check(`nothing half made is left ${left.join(' ')}`, left.length === 0)
  console.log(
    `# ${source}: ${workers} workers, ${kills} kills and the deaths of one picture, ${pictures} pictures, ` +
      `${seconds} s; ${asked.length - needed} requests in place of ${needed}`
  )
}

function check (what: string, holds: boolean) {
  console.log(`${holds ? 'ok' : 'not ok'} bulk by ${source}: ${what}`)
  if (!holds) process.exitCode = 1
}

/** The address of a server of its own, which asks for credentials; `user.creds` has some. */
async function startNats () {
  const port = await freePort()
  const { config, creds } = makeOperator()
  writeFileSync(join(base, 'user.creds'), creds)
  writeFileSync(join(base, 'nats.conf'), config)
  const words = ['-c', join(base, 'nats.conf'), '-js', '-sd', join(base, 'nats'), '-a', '127.0.0.1', '-p', String(port)]
  const server = spawn('nats-server', words, { stdio: ['ignore', 'ignore', 'pipe'] })
  ends.push(() => server.kill('SIGKILL') && once(server, 'close'))
  for await (const line of server.stderr) if (String(line).includes('Server is ready')) break
  return `nats://127.0.0.1:${port}`
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
