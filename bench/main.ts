/** Measures the server: `npm run bench -- --help` tells how. */
import { writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measureAgain } from './again.ts'
import { chart } from './chart.ts'
import { measureEstimates } from './estimates.ts'
import { measureFloor } from './floor.ts'
import { measureHealth } from './health.ts'
import type { Setting } from './measure.ts'
import { measureMemory } from './memory.ts'
import { readOptions, usage, type Options } from './options.ts'
import { measureLlama } from './peers/llama/measure.ts'
import { startPeers } from './peers/peers.ts'
import { readPictures } from './pictures.ts'
import { measurePrefill } from './prefill.ts'
import { loads, openRecord, readHead } from './record.ts'
import { faultsOf, tellReport, type Measured } from './report.ts'
import { measureAll, type Contestant, type Plan } from './rounds.ts'
import { runningServers, startServer } from './servers.ts'
import { sweepAll } from './sweep.ts'

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main (words: string[]) {
  if (words.includes('--help')) return console.log(usage)
  const options = readOptions(words)
  const head = await readHead(words)
  const folder = options.out ?? join(import.meta.dirname, 'results', head.date.replace(/[:Z]/g, ''))
  const record = openRecord(folder)
  record.write({ head })
  const measured: Measured = { results: [], sections: [] }
  let isTold = false
  const report = (cutOff?: string) => {
    if (isTold) return // and only its servers are still to end
    isTold = true
    const text = tellReport(head, loads(), measured, cutOff)
    writeFileSync(join(folder, 'report.md'), text)
    console.log(`${text}\n${folder}`)
  }
  onSignal(report)
  const targets: Contestant[] =
    options.servers === undefined ? [await startServer()] : await runningServers(options.servers)
  const { duration, rounds, seed } = options
  try {
    await startPeers(options.peers.filter(name => name !== 'llama'), targets)
    const plan = { targets, pictures: await readPictures(), duration, rounds, seed, record }
    await measure(options, plan, folder, measured)
    report()
  } catch (error) {
    report('an error')
    throw error
  } finally {
    for (const target of targets) await target.stop()
    record.close()
  }
}

/** Tells what was measured until then, and ends: before anything that `startProcess` has end this process. */
function onSignal (report: (cutOff: string) => void) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, (_: string, number: number) => {
      report(signal)
      process.exit(128 + number)
    })
  }
}

/** Adds to what is `measured` as it goes. */
async function measure (options: Options, plan: Plan, folder: string, { results, sections }: Measured): Promise<void> {
  const settings = settingsOf(options)
  if (settings.length > 0) {
    await measureAll(settings, plan, results)
    if (options.clients.length > 0) await writeFile(join(folder, 'chart.svg'), chart(results))
    if (faultsOf(results).length > 0) process.exitCode = 1
  }
  const [target] = plan.targets
  if (options.p99 !== undefined) {
    sections.push(await sweepAll(options.jobs, options.kept, options.p99, plan))
  }
  if (options.again) sections.push(await measureAgain())
  if (options.estimates && target) sections.push(await measureEstimates(target, plan))
  if (options.health) sections.push(await measureHealth(plan))
  if (options.memory !== undefined && target) sections.push(await measureMemory(target, options.memory, plan))
  if (options.floor) {
    const { section, units } = await measureFloor(plan.pictures)
    await writeFile(join(folder, 'units.json'), JSON.stringify(units, null, 2) + '\n')
    sections.push(section)
  }
  if (options.prefill) sections.push(await measurePrefill(options, plan))
  if (options.peers.includes('llama')) sections.push(await measureLlama(plan.pictures, options.rounds))
}

function settingsOf ({ jobs, kept, clients, rates }: Options): Setting[] {
  return jobs.flatMap(job =>
    kept.flatMap(tokens => [
      ...clients.map(count => ({ job, kept: tokens, clients: count })),
      ...rates.map(rate => ({ job, kept: tokens, rate }))
    ])
  )
}
