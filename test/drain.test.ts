/** SIGTERM under load: who was accepted has an answer, whatever the grace time, and nothing is left running. */
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { eventsOf } from './fixtures/events.ts'
import { follow, start } from './fixtures/server-process.ts'

t.setTimeout(120_000)

const requests = 12

const graces = { none: 0, 'less than the work takes': 400, 'more than it takes': 60_000 }

for (const [name, graceMs] of Object.entries(graces)) {
  t.test(`grace: ${name}`, async t => {
    const child = start({
      LAVIT_GRACE_MS: String(graceMs),
      LAVIT_CLIENT_SHARE: '1',
      LAVIT_ENGINES: '2',
      LAVIT_THREADS: '1'
    })
    t.teardown(() => child.kill('SIGKILL'))
    const log = follow(child)
    const { msg } = await log.until(/listening/)
    const url = `${/http:\S+/.exec(msg)?.[0]}/generate`
    const count = (message: RegExp) => log.lines.filter(({ msg }) => message.test(msg)).length
    while (count(/model ready/) < 2) await pause(5)

    /** `done`, or the code of the error that it ended with. */
    async function ask (i: number): Promise<string> {
      const isStream = i % 2 === 1
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'a dog', n: 2, seed: i, stream: isStream })
      })
      const text = await response.text()
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        return response.status === 200 ? 'done' : JSON.parse(text).code
      }
      const ends = eventsOf(text).filter(({ event }) => event === 'done' || event === 'error')
      t.equal(ends.length, 1, 'a stream has one end')
      return ends[0]?.event === 'done' ? 'done' : JSON.parse(ends[0]?.data ?? '{}').code
    }

    const answers = Array.from({ length: requests }, (_, i) => ask(i).catch(error => `cut off: ${error.cause}`))
    while (count(/incoming request/) < requests) await pause(1)
    const processes = [...childrenOf(child.pid), ...log.lines.flatMap(({ enginePid }) => Number(enginePid) || [])]
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    const ends = await Promise.all(answers)
    t.strictSame(await ended, [0, null])
    t.ok(ends.every(end => end === 'done' || end === 'draining'), ends.join())
    if (graceMs === 0) t.ok(ends.includes('draining'), 'some were not done')
    if (graceMs === 60_000) t.notOk(ends.includes('draining'), 'all were done')
    t.ok(processes.length >= 2)
    for (let tries = 0; processes.some(isAlive) && tries < 1000; tries++) await pause(5) // they hear of its end
    t.strictSame(processes.filter(isAlive), [], 'nothing is left running')
  })
}

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Where the system tells them: engines and decoders. */
function childrenOf (pid = 0): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').map(Number) : []
}
