/**
 * What one machine, ten and a thousand carry: `npx tsx bench/simulate.ts [--units units.json] [--attainable 0.5]`.
 * `units.json` is what `npm run bench -- --floor` writes; `--attainable` is the share of the roofline that is reached.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createRandom } from '../src/engine/drawing/random.ts'
import { table, tellNumber } from './report.ts'
import { h100, lavit7b, measuredCosts, rooflineCosts, type Costs } from './simulation/costs.ts'
import { simulate, type Balancer } from './simulation/fleet.ts'
import { percentile } from './statistics.ts'
import { highestRate } from './sweep.ts'

const { values: options } = parseArgs({
  options: {
    units: { type: 'string', default: new URL('units.json', import.meta.url).pathname },
    attainable: { type: 'string', default: '0.5' },
    machines: { type: 'string', default: '1,10,1000' }
  }
})

type Range = [least: number, most: number]
type Case = {
  model: string
  tokens: string
  prompt: Range
  words: Range
  costs: Costs
  engines: number // of each machine
  boundMs: number
}

const frame = 2 // image start and end
const attainable = Number(options.attainable)
const units = JSON.parse(await readFile(options.units, 'utf8'))
const ofH100 = (places: number) => rooflineCosts(lavit7b, { ...h100, attainable }, places)

const ofMini = { model: 'lavit-mini', words: range(8, 26), costs: measuredCosts(units), engines: units.engines }
const of7b = { model: '7B, H100', words: range(8, 20), engines: 1 }
const cases: Case[] = [
  { ...ofMini, tokens: '9 to 31', prompt: [9, 31], boundMs: 500 },
  { ...ofMini, tokens: '64', prompt: [64, 64], boundMs: 500 },
  { ...of7b, tokens: '32 to 156', prompt: [32, 156], costs: ofH100(110), boundMs: 1000 },
  { ...of7b, tokens: '256', prompt: [256, 256], costs: ofH100(272), boundMs: 1000 }
]

const rows = []
for (const machines of options.machines.split(',').map(Number)) {
  for (const balancer of machines === 1 ? (['random'] as const) : (['random', 'two'] as const)) {
    for (const each of cases) {
      const { rate, latencies } = await carried(each, machines, balancer)
      rows.push({
        model: each.model,
        'visual tokens': each.tokens,
        machines: String(machines),
        balancer: machines === 1 ? '' : balancer,
        'captions a second': tellNumber(rate),
        'for each machine': tellNumber(rate / machines),
        'p50 ms': tellNumber(percentile(latencies, 0.5) * 1000),
        'p99 ms': tellNumber(percentile(latencies, 0.99) * 1000)
      })
      console.error(Object.values(rows.at(-1) ?? {}).join('  '))
    }
  }
}
console.log(table(rows))

/** The highest rate whose 99th percentile stays within the case's bound. */
async function carried ({ prompt, words, costs, engines, boundMs }: Case, machines: number, balancer: Balancer) {
  const time = machines > 100 ? { warmUp: 2, seconds: 3 } : { warmUp: 5, seconds: 60 }
  let latencies: number[] = []
  const holds = async (rate: number) => {
    const { uniform } = createRandom(1, 'tokens')
    const between = ([least, most]: Range) => least + Math.floor(uniform() * (most - least + 1))
    const traffic = { prompt: () => frame + between(prompt), words: () => between(words) }
    const found = simulate({ costs, machines, engines, balancer }, traffic, { rate, ...time }, uniform)
    const isHeld = percentile(found, 0.99) * 1000 <= boundMs
    if (isHeld) latencies = found
    return isHeld
  }
  let most = 4 * machines
  while (await holds(most)) most *= 2
  return { rate: await highestRate(most, holds), latencies }
}

function range (least: number, most: number): Range {
  return [least, most]
}
