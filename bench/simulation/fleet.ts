/** Machines behind a balancer, hit by requests at random times: a simulation of discrete events. */
import TinyQueue from 'tinyqueue'
import type { Costs } from './costs.ts'
import { createEngine, type Engine, type Request } from './engine.ts'

/** `random` sends to any machine, `two` to the one of two random ones that holds less. */
export type Balancer = 'random' | 'two'

/** A machine gives a request to the one of its engines that holds least. */
export type Fleet = { costs: Costs; machines: number; engines: number; balancer: Balancer }

/** Tokens, drawn for each request. */
export type Traffic = { prompt: () => number; words: () => number }

type Worker = { engine: Engine; isBusy: boolean }
type Event = { time: number; worker: Worker; done: () => Request[] }

/**
 * Seconds from arrival to answer of every request that arrives between `warmUp` and `warmUp + seconds`, at `rate` a
 * second for the whole fleet. `uniform` draws from 0..1, 1 excluded.
 */
export function simulate (
  { costs, machines, engines, balancer }: Fleet,
  { prompt, words }: Traffic,
  { rate, warmUp, seconds }: { rate: number; warmUp: number; seconds: number },
  uniform: () => number
): number[] {
  const all = Array.from({ length: machines }, () =>
    Array.from({ length: engines }, (): Worker => ({ engine: createEngine(costs), isBusy: false }))
  )
  const events = new TinyQueue<Event>([], (a, b) => a.time - b.time)
  const latencies: number[] = []
  const end = warmUp + seconds
  let arrival = nextArrival(0)
  for (;;) {
    const event = events.peek()
    if (arrival < end && (event === undefined || arrival <= event.time)) {
      const worker = idlest(choose())
      worker.engine.accept({ arrived: arrival, prompt: prompt(), words: words() })
      work(worker, arrival)
      arrival = nextArrival(arrival)
      continue
    }
    if (event === undefined) return latencies
    events.pop()
    event.worker.isBusy = false
    for (const { arrived } of event.done()) if (arrived >= warmUp) latencies.push(event.time - arrived)
    work(event.worker, event.time)
  }

  function nextArrival (after: number): number {
    return after - Math.log(1 - uniform()) / rate
  }

  function work (worker: Worker, now: number) {
    if (worker.isBusy) return
    const unit = worker.engine.begin()
    if (unit === undefined) return
    worker.isBusy = true
    events.push({ time: now + unit.seconds, worker, done: unit.finish })
  }

  function choose (): Worker[] {
    const [first, second] = [any(), any()]
    return balancer === 'two' && held(second) < held(first) ? second : first
  }

  function any (): Worker[] {
    const machine = all[Math.floor(uniform() * machines)]
    if (machine === undefined) throw new Error('there are no machines')
    return machine
  }
}

function held (machine: Worker[]): number {
  return machine.reduce((sum, { engine }) => sum + engine.held(), 0)
}

function idlest (machine: Worker[]): Worker {
  return machine.reduce((best, worker) => (worker.engine.held() < best.engine.held() ? worker : best))
}
