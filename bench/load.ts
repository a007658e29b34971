/** Requests without pause by some clients, or at planned times whatever becomes of those before. */
import { setTimeout as pause } from 'node:timers/promises'

/** One request. Times are milliseconds since the load began; with clients it is planned for when it is sent. */
export type Sample = { planned: number; sent: number; ended: number; status: number; isSame: boolean }

/** Sends request number i and tells its status, and whether the answer is the right one. */
export type Ask = (i: number) => Promise<{ status: number; isSame: boolean }>

/** Closed loop: each client sends its next request when it has the answer to its last, while `goesOn` says so. */
export async function closedLoop (
  ask: Ask,
  clients: number,
  goesOn: (elapsedMs: number, sent: number) => boolean,
  onEnd = () => {}
): Promise<Sample[]> {
  const samples: Sample[] = []
  const from = performance.now()
  let count = 0
  const elapsed = () => performance.now() - from
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (goesOn(elapsed(), count)) {
        const sent = elapsed()
        samples.push(await take(ask, count++, { planned: sent, sent }, from))
        onEnd()
      }
    })
  )
  return samples
}

/** Open loop: latency counts from the planned time, so that a server that stalls is charged for all who would wait. */
export async function openLoop (ask: Ask, times: number[]): Promise<Sample[]> {
  const from = performance.now()
  const samples: Promise<Sample>[] = []
  for (const [i, time] of times.entries()) {
    const planned = time * 1000
    for (;;) {
      const early = planned - (performance.now() - from)
      if (early <= 0) break
      await pause(early) // which may end a little before its time
    }
    samples.push(take(ask, i, { planned, sent: performance.now() - from }, from))
  }
  return Promise.all(samples)
}

/** Throws where there were requests and none was answered. */
export function checkAnswered (name: string, samples: Sample[]): void {
  const { length } = samples
  if (length === 0 || samples.some(({ status }) => status === 200)) return
  throw new Error(`${name} answered none of ${length} requests; the last status is ${samples.at(-1)?.status}`)
}

async function take (ask: Ask, i: number, when: { planned: number; sent: number }, from: number): Promise<Sample> {
  const outcome = await ask(i).catch(() => ({ status: 0, isSame: false })) // no connection
  return { ...when, ended: performance.now() - from, ...outcome }
}
