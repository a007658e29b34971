/** Machines behind a balancer, hit by requests at random times: a simulation of discrete events. */
import TinyQueue from 'tinyqueue'
import type { Costs } from './costs.ts'
import { createEngine, type Engine, type Request } from './engine.ts'

/** `random` sends to any machine, `two` to the one of two random ones that holds less. */
export type Balancer = 'random' | 'two'

export type Fleet = { costs: Costs; machines: number; balancer: Balancer }

/** Tokens, drawn for each request. */
export type Traffic = { prompt: () => number; words: () => number }

type Event = { time: number; machine: Machine; done: () => Request[] }
type Machine = { engine: Engine; isBusy: boolean }

/**
 * Seconds from arrival to answer of every request that arrives between `warmUp` and `warmUp + seconds`, at `rate` a
 * second for the whole fleet. `uniform` draws from 0..1, 1 excluded.
 */
export function simulate (
  { costs, machines, balancer }: Fleet,
  { prompt, words }: Traffic,
  { rate, warmUp, seconds }: { rate: number; warmUp: number; seconds: number },
  uniform: () => number
): number[] {
  const all = Array.from({ length: machines }, (): Machine => ({ engine: createEngine(costs), isBusy: false }))
  const events = new TinyQueue<Event>([], (a, b) => a.time - b.time)
  const latencies: number[] = []
  const end = warmUp + seconds
  let arrival = nextArrival(0)
  for (;;) {
    const event = events.peek()
    if (arrival < end && (event === undefined || arrival <= event.time)) {
      const machine = choose()
      machine.engine.accept({ arrived: arrival, prompt: prompt(), words: words() })
      work(machine, arrival)
      arrival = nextArrival(arrival)
      continue
    }
    if (event === undefined) return latencies
    events.pop()
    event.machine.isBusy = false
    for (const { arrived } of event.done()) if (arrived >= warmUp) latencies.push(event.time - arrived)
    work(event.machine, event.time)
  }

  function nextArrival (after: number): number {
    return after - Math.log(1 - uniform()) / rate
  }

  function work (machine: Machine, now: number) {
    if (machine.isBusy) return
    const unit = machine.engine.begin()
    if (unit === undefined) return
    machine.isBusy = true
    events.push({ time: now + unit.seconds, machine, done: unit.finish })
  }

  function choose (): Machine {
    const [first, second] = [any(), any()]
    return balancer === 'two' && second.engine.held() < first.engine.held() ? second : first
  }

  function any (): Machine {
    const machine = all[Math.floor(uniform() * machines)]
    if (machine === undefined) throw new Error('there are no machines')
    return machine
  }
}
