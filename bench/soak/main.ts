/** Soaks the server: `npm run soak -- --help` tells how. Ends with exit code 1 where something did not hold. */
import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../../src/engine/drawing/random.ts'
import { readHead } from '../record.ts'
import { createCounts } from './count.ts'
import { childrenOf, disturb } from './disturb.ts'
import { readSoakOptions, usage, type SoakOptions } from './options.ts'
import { reportOf, type Soak } from './report.ts'
import { createSender } from './send.ts'
import { startSoakedServer, type SoakedServer } from './server.ts'
import { createTraffic } from './traffic.ts'
import { watch } from './watch.ts'

try {
  const words = process.argv.slice(2)
  if (words.includes('--help')) console.log(usage)
  else await main(words)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main (words: string[]): Promise<void> {
  const options = readSoakOptions(words)
  const server = await startSoakedServer()
  const { text, holds } = reportOf(await soak(server, options, await readHead(words)))
  await writeFile(options.report, text)
  console.log(text)
  if (!holds) process.exitCode = 1
}

async function soak (server: SoakedServer, options: SoakOptions, head: Soak['head']): Promise<Soak> {
  const { pid, port, target, lines, readyAt } = server
  const spared = (await childrenOf(pid)).find(({ role }) => role === 'engine')?.pid ?? 0
  const counts = createCounts()
  const before = await server.metrics()
  const looking = watch(target.url, pid, spared, counts.ended)
  const disturbing = disturb(pid, spared, readyAt, options)
  const from = performance.now()
  const next = await createTraffic(createRandom(options.seed, 'selection').uniform)
  await everyClient(port, options, async send => {
    const sent = next()
    counts.add(sent, await send(sent))
  })
  const minutes = (performance.now() - from) / 60_000
  await disturbing.stop()
  await untilQuiet(server)
  looking.stop()
  const after = await server.metrics()
  const exitCode = server.isAlive() ? await server.stop() : null
  const { watched } = looking
  const { injected } = disturbing
  const { readyWithin } = options
  return { head, minutes, counts, watched, injected, readyAt, readyWithin, lines, before, after, exitCode }
}

/** Clients that each ask and wait, together no faster than the requests last for the time, and until both are over. */
async function everyClient (
  port: number,
  { clients, requests, minutes }: SoakOptions,
  ask: (send: ReturnType<typeof createSender>['send']) => Promise<void>
): Promise<void> {
  const everyMs = (minutes * 60_000) / requests
  const from = performance.now()
  let begun = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      const sender = createSender(port, `127.0.0.${i + 2}`)
      while (begun < requests || performance.now() - from < minutes * 60_000) {
        const early = begun++ * everyMs - (performance.now() - from)
        if (early > 0) await pause(early)
        await ask(sender.send)
      }
      sender.close()
    })
  )
}

/** What clients left behind ends, and what hangs is noticed, within half a minute. */
async function untilQuiet (server: SoakedServer): Promise<void> {
  for (let second = 0; second < 30; second++) {
    await pause(1000)
    const metrics = await server.metrics()
    const open = [...metrics].filter(([name]) => /^lavit_(running|queue_length|queued_cost|kv_slots)/.test(name))
    const { status } = await server.target.get('/health/ready')
    if (second >= 8 && status === 200 && open.every(([, value]) => value === 0)) return
  }
}
