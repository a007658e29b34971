/** The command line of the benchmark. */
import { parseArgs } from 'node:util'
import { jobs, type Job } from './jobs.ts'

export const usage = `npm run bench -- [options]

  --jobs caption,greedy,...  ${jobs.join(', ')}; all without it, greedy with --peers
  --clients 1,4,16           closed loop: clients that each wait for their answer
  --rates 10,20              open loop: requests a second at random times, latency from the planned time
  --p99 500                  seeks the highest rate whose 99th percentile stays within so many milliseconds
  --kept 4,16,any            patches that stay of each picture; any is as many as the model decides
  --servers name=url,...     running servers, measured in turns, with LAVIT_KEY as their key; without it the built
                             one is started
  --peers [name,...]         other ways to serve the same model beside it; llama, which is installed, by name only
  --again                    a second question about a picture, by its reference
  --estimates                what /estimate says beside what happens, over the mixed load
  --health                   how /health/live answers while everything is asked at once
  --memory 20000             resident memory over so many mixed requests
  --floor                    units of work against what the arithmetic alone takes
  --prefill                  what reading and writing take by patches that stay (--kept), and a line through it
  --model folder             of --prefill: a package of its own
  --seconds 3 --warm-up 1    of each run
  --rounds 5                 of which medians are told
  --seed 1                   of the random times
  --out folder               of the results; bench/results/DATE without it`

export type Options = ReturnType<typeof readOptions>

/** Throws an Error that says what is wrong and what there is. */
export function readOptions (words: string[]) {
  const { values } = parseArgs({
    args: words.map((word, i) => (word === '--peers' && /^(--|$)/.test(words[i + 1] ?? '') ? '--peers=all' : word)),
    options: {
      jobs: { type: 'string' },
      clients: { type: 'string' },
      rates: { type: 'string' },
      p99: { type: 'string' },
      kept: { type: 'string', default: 'any' },
      servers: { type: 'string' },
      peers: { type: 'string' },
      again: { type: 'boolean', default: false },
      estimates: { type: 'boolean', default: false },
      health: { type: 'boolean', default: false },
      memory: { type: 'string' },
      floor: { type: 'boolean', default: false },
      prefill: { type: 'boolean', default: false },
      model: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' }
    }
  })
  for (const name of ['jobs', 'clients', 'rates', 'kept', 'servers'] as const) {
    if (values[name] !== undefined && listOf(values[name]).length === 0) {
      throw new Error(`--${name} names nothing\n\n${usage}`)
    }
  }
  const asksElse = [values.rates, values.p99, values.memory].some(value => value !== undefined)
  const asksUnits = values.floor || values.prefill || values.peers === 'llama'
  const asksOther = values.again || values.estimates || values.health || asksUnits
  const clients = asksElse || asksOther ? '' : '1,4,16'
  return {
    jobs: (listOf(values.jobs ?? (values.peers === undefined ? jobs.join() : 'greedy'))).map(jobNamed),
    clients: listOf(values.clients ?? clients).map(whole),
    rates: listOf(values.rates ?? '').map(positive),
    p99: values.p99 === undefined ? undefined : positive(values.p99),
    kept: listOf(values.kept).map(word => (word === 'any' ? undefined : whole(word))),
    servers: values.servers,
    peers: listOf(values.peers ?? ''),
    again: values.again,
    estimates: values.estimates,
    health: values.health,
    memory: values.memory === undefined ? undefined : whole(values.memory),
    floor: values.floor,
    prefill: values.prefill,
    model: values.model,
    duration: { seconds: positive(values.seconds), warmUp: positive(values['warm-up']) },
    rounds: whole(values.rounds),
    seed: whole(values.seed),
    out: values.out
  }
}

function listOf (text: string): string[] {
  return text.split(',').filter(word => word !== '')
}

function positive (word: string): number {
  const number = Number(word)
  if (!(number > 0 && number < Infinity)) throw new Error(`${word} is no number above 0\n\n${usage}`)
  return number
}

function whole (word: string): number {
  const number = Number(word)
  if (!(Number.isSafeInteger(number) && number > 0)) {
    throw new Error(`${word} is no whole number above 0\n\n${usage}`)
  }
  return number
}

function jobNamed (word: string): Job {
  const job = jobs.find(name => name === word)
  if (job === undefined) throw new Error(`${word} is no job\n\n${usage}`)
  return job
}
