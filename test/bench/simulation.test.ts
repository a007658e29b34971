import t from 'tap'
import { h100, lavit7b, measuredCosts, rooflineCosts, type Costs } from '../../bench/simulation/costs.ts'
import { createEngine } from '../../bench/simulation/engine.ts'
import { simulate } from '../../bench/simulation/fleet.ts'
import { createRandom } from '../../src/engine/drawing/random.ts'

const oneByOne: Costs = {
  encode: () => 0,
  prefill: () => 0.01,
  decode: () => 0.005,
  picturesAtOnce: 1,
  tokensAtOnce: 1,
  slots: 100
}
const oneWord = { prompt: () => 1, words: () => 1 }

type Test = { ok: (is: boolean, message: string) => unknown }

function near (t: Test, found: number, wanted: number, share: number, message: string) {
  t.ok(Math.abs(found / wanted - 1) < share, `${message}: ${found}, theory says ${wanted}`)
}

function mean (values: number[]) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

t.test('one server with a fixed service time waits as the M/D/1 queue does', async t => {
  for (const load of [0.3, 0.6, 0.8]) {
    const { uniform } = createRandom(1, 'tokens')
    const fleet = { costs: oneByOne, machines: 1, engines: 1, balancer: 'random' as const }
    const latencies = simulate(fleet, oneWord, { rate: load / 0.01, warmUp: 10, seconds: 2000 }, uniform)
    near(t, mean(latencies), 0.01 + (load * 0.01) / (2 * (1 - load)), 0.03, `load ${load}`)
  }
})

t.test('ten servers at random wait as one does, and less where the idler of two is taken', async t => {
  const wait = (balancer: 'random' | 'two') => {
    const { uniform } = createRandom(2, 'tokens')
    const fleet = { costs: oneByOne, machines: 10, engines: 1, balancer }
    return mean(simulate(fleet, oneWord, { rate: 800, warmUp: 10, seconds: 200 }, uniform))
  }
  near(t, wait('random'), 0.01 + (0.8 * 0.01) / (2 * 0.2), 0.05, 'at random')
  t.ok(wait('two') < 0.8 * wait('random'))
})

t.test('two engines of a machine share its load', async t => {
  const wait = (engines: number, rate: number) => {
    const { uniform } = createRandom(4, 'tokens')
    const fleet = { costs: oneByOne, machines: 1, engines, balancer: 'random' as const }
    return mean(simulate(fleet, oneWord, { rate, warmUp: 10, seconds: 500 }, uniform))
  }
  t.ok(wait(2, 160) < wait(1, 80), 'twice the rate, and less to wait')
})

t.test('a lone request takes its units one after the other', async t => {
  const { uniform } = createRandom(3, 'tokens')
  const fleet = { costs: { ...oneByOne, encode: () => 0.002 }, machines: 1, engines: 1, balancer: 'random' as const }
  const words = { prompt: () => 1, words: () => 5 }
  const latencies = simulate(fleet, words, { rate: 0.01, warmUp: 0, seconds: 1000 }, uniform)
  for (const latency of latencies) t.ok(Math.abs(latency - (0.002 + 0.01 + 4 * 0.005)) < 1e-9)
  t.ok(latencies.length > 0)
})

t.test('rows of all requests are decoded together, and no more than there are slots', async t => {
  const decoded: number[] = []
  const engine = createEngine({
    ...oneByOne,
    picturesAtOnce: 4,
    tokensAtOnce: 100,
    slots: 3,
    decode (rows) {
      decoded.push(rows)
      return 0.001
    }
  })
  for (let i = 0; i < 4; i++) engine.accept({ arrived: 0, prompt: 10, words: 3 })
  let done = 0
  for (let unit = engine.begin(); unit; unit = engine.begin()) done += unit.finish().length
  t.strictSame([done, engine.held()], [4, 0])
  t.strictSame(decoded, [3, 3, 1, 1])
})

t.test('units cost the line through what was measured', async t => {
  const costs = measuredCosts({
    engines: 1,
    threads: 1,
    picture: { ms: 2 },
    encode: [{ rows: 1, ms: 4 }, { rows: 4, ms: 10 }],
    prefill: [{ rows: 1, tokens: 10, ms: 3 }, { rows: 4, tokens: 10, ms: 6 }],
    decode: [{ rows: 1, ms: 1 }, { rows: 16, ms: 4 }]
  })
  const seconds = [costs.encode(2), costs.prefill([10, 20]), costs.decode(6, 0)]
  t.strictSame(seconds.map(each => Math.round(each * 1e6)), [10_000, 5_000, 2_000])
})

t.test('the roofline of a decode step is the reading of the weights, then the multiplications', async t => {
  const costs = rooflineCosts(lavit7b, { ...h100, attainable: 1 }, 100)
  const overhead = 0.5e-3
  // 13.48 GB at 3.35 TB/s
  near(t, costs.decode(1, 0) - overhead, 4.0239e-3, 1e-3, 'one row')
  // 8 GB more of keys and values: 160 rows of 100 places, 512 KiB each
  near(t, costs.decode(160, 16_000) - overhead, 4.0239e-3 + (16_000 * 524_288) / 3.35e12, 1e-3, '160 rows')
  // 2 x 6.74e9 x 4096 operations at 989 TFLOP/s, and attention among them
  near(t, costs.prefill([4096]) - overhead, 55.83e-3 + (524_288 * 4096 ** 2) / 2 / 989e12, 1e-3, 'a long prompt')
  const half = rooflineCosts(lavit7b, { ...h100, attainable: 0.5 }, 100)
  near(t, half.decode(1, 0) - overhead, 2 * 4.0239e-3, 1e-3, 'half of the roof')
  t.strictSame(costs.slots, Math.floor((72e9 - 2 * (6.74e9 + 1.41e9)) / (524_288 * 100)))
})
