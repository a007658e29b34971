/**
 * A long job of `lavit bulk` beside somebody who waits for answers: `npm run bulk:load -- --items 100000`. Tells how
 * the memory of all processes goes, and whether the latency of who waits keeps its bound; ends with 1 where it does
 * not.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { callsOf } from '../jobs.ts'
import { openLoop, type Sample } from '../load.ts'
import { asking, examine } from '../measure.ts'
import { readMemory, rolesOf, tellMemory, type MemorySample } from '../memory.ts'
import { makePictures } from '../pictures.ts'
import { readHead } from '../record.ts'
import { table, tellNumber } from '../report.ts'
import { startServer } from '../servers.ts'
import { percentile, poissonTimes } from '../statistics.ts'
import { createRandom } from '../../src/engine/drawing/random.ts'
import { writeTar } from './pictograms.ts'

const root = join(import.meta.dirname, '../..')
const bound = 1.5 // times the latency without bulk
const sampleEveryMs = 1000

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    'in-flight': { type: 'string', default: '8' },
    rate: { type: 'string', default: '5' },
    idle: { type: 'string', default: '30' }
  }
})
const [items, rate, idleSeconds] = [Number(values.items), Number(values.rate), Number(values.idle)]
const folder = await mkdtemp(join(tmpdir(), 'lavit-bulk-load-'))
const target = await startServer()
try {
  await measure()
} finally {
  await target.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure () {
  const tar = join(folder, 'pictograms.tar')
  const head = await readHead(process.argv.slice(2))
  await writeTar(tar, items)
  const ask = asking(target, await examine(target, callsOf('greedy', await makePictures(12))))
  const { uniform } = createRandom(1, 'tokens')
  const interact = (seconds: number) => openLoop(ask, poissonTimes(rate, seconds, uniform))

  await interact(3) // warms up
  const idle = await interact(idleSeconds)
  const worker = startWorker(tar)
  const memory: MemorySample[] = []
  const progress = { requests: 0 }
  const timer = setInterval(async () => {
    progress.requests = await countDone()
    const sample = { ...progress, ...(await readMemory(target.pid ?? 0, worker.pid)) }
    if (sample.worker > 0) memory.push(sample)
  }, sampleEveryMs)
  const from = performance.now()
  const end: { at?: number } = {}
  worker.ended.then(() => { end.at = performance.now() })
  const during: Sample[] = []
  while (end.at === undefined) during.push(...(await interact(5)))
  clearInterval(timer)
  const seconds = (end.at - from) / 1000
  const code = await worker.ended

  const rows = [['alone', idle], ['beside bulk', during]] as const
  const { processor, cores, node, commit, loadAverage } = head
  console.log(`${processor}, ${cores} cores, Node ${node}, commit ${commit}, load ${loadAverage}\n`)
  console.log(
    `${items} pictures of 64 x 64 tokenized in ${tellNumber(seconds)} s (${tellNumber(items / seconds)} a second), ` +
      `exit code ${code}; a greedy caption ${rate} times a second beside it, in ms from the planned time:\n`
  )
  console.log(table(rows.map(([name, samples]) => ({ client: name, ...latenciesOf(samples) }))))
  const ratio = p99(during) / p99(idle)
  console.log(`\np99 is ${tellNumber(ratio)} times that alone; it may be ${bound}\n`)
  console.log(tellMemory(memory, [...rolesOf, 'worker']))
  if (!(ratio <= bound) || code !== 0) process.exitCode = 1
}

/** Bulk as a process of its own. */
function startWorker (tar: string) {
  const words = ['--out', join(folder, 'out'), '--do', 'tokenize', '--url', target.url, '--quiet']
  const child = spawn(
    process.execPath,
    ['dist/cli/main.js', 'bulk', tar, ...words, '--in-flight', values['in-flight']],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }
  )
  return { pid: child.pid ?? 0, ended: once(child, 'close').then(([code]) => Number(code)) }
}

/** Requests that ended so far, of bulk and of who waits. */
async function countDone (): Promise<number> {
  const { body } = await target.get('/metrics')
  const counts = [...body.matchAll(/^lavit_request_duration_seconds_count\{.*"\/(?:tokenize|caption)".*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

function latenciesOf (samples: Sample[]) {
  const all = samples.map(({ planned, ended }) => ended - planned)
  return {
    requests: String(samples.length),
    p50: tellNumber(percentile(all, 0.5)),
    p90: tellNumber(percentile(all, 0.9)),
    p99: tellNumber(percentile(all, 0.99)),
    wrong: String(samples.filter(({ isSame }) => !isSame).length)
  }
}

function p99 (samples: Sample[]) {
  return percentile(samples.map(({ planned, ended }) => ended - planned), 0.99)
}
