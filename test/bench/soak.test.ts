/** How the soak counts what becomes of requests. */
import t from 'tap'
import { createCounts } from '../../bench/soak/count.ts'
import { recoveryOf, tellRecoveries } from '../../bench/soak/deaths.ts'
import { reportOf, type Soak } from '../../bench/soak/report.ts'
import { endsOnce, type Outcome, type Sent } from '../../bench/soak/send.ts'

const body = new Uint8Array()
const sent: Sent = { kind: 'caption', path: '/caption', type: 'image/png', body, may: [200], same: 'a' }
const answered = (status: number, body: string): Outcome => ({ is: 'answered', status, body, isStream: false })

t.test('a stream has one end, and it is last', async t => {
  const event = (name: string) => `event: ${name}\ndata: {}\n\n`
  for (const names of [['done'], ['queued', 'token', 'done'], ['token', 'error']]) {
    t.ok(endsOnce(names.map(event).join('')), names.join())
  }
  for (const names of [[], ['token'], ['done', 'done'], ['done', 'error'], ['done', 'token']]) {
    t.notOk(endsOnce(names.map(event).join('')), names.join())
  }
  t.notOk(endsOnce('event: done\ndata: {'), 'cut off')
})

t.test('what is wrong is told, and what a busy server may say is not', async t => {
  const cases: [Outcome, RegExp | undefined][] = [
    [answered(200, '{"image_ref":"img_1","text":"a dog"}'), undefined],
    [answered(200, '{"image_ref":"img_2","text":"a dog"}'), undefined],
    [answered(200, '{"text":"a cat"}'), /another answer/],
    [answered(429, '{"code":"queue_full"}'), undefined],
    [answered(503, '{"code":"engine_restarting"}'), undefined],
    [answered(503, '{"code":"model_unavailable"}'), /503/],
    [answered(500, '{"code":"internal_error"}'), /500/],
    [{ is: 'left' }, undefined],
    [{ is: 'lost', reason: 'ECONNRESET' }, /lost/],
    [{ is: 'broken', body: 'event: token' }, /without one end/]
  ]
  const counts = createCounts()
  for (const [outcome, expected] of cases) {
    const before = counts.wrong.length
    counts.add(sent, outcome)
    const told = counts.wrong.slice(before)
    t.match(told, expected === undefined ? [] : [expected])
    t.equal(told.length, expected === undefined ? 0 : 1)
  }
  t.match(counts.kinds.get('caption'), { sent: 10 })
  t.strictSame([counts.ended(), counts.answered(), counts.left()], [10, 7, 1])
})

t.test('an engine has recovered when the next one is ready', async t => {
  const deaths = [
    { by: 'kill' as const, at: 1000 },
    { by: 'hang' as const, at: 10_000 },
    { by: 'kill' as const, at: 20_000 }
  ]
  const readyAt = [500, 2500, 14_000, 23_000]
  t.strictSame(deaths.map(death => recoveryOf(death, readyAt)), [1500, 4000, 3000])
  t.strictSame(tellRecoveries(deaths, readyAt), [
    { by: 'kill', count: 2, median: 2.25, longest: 3 },
    { by: 'hang', count: 1, median: 4, longest: 4 }
  ])
  t.equal(recoveryOf({ by: 'kill', at: 30_000 }, readyAt), undefined)
  t.match(tellRecoveries([{ by: 'kill', at: 30_000 }], readyAt), [{ count: 1, longest: Infinity }, { count: 0 }])
})

t.test('a soak holds, and fails where any of its limits is crossed', async t => {
  t.equal(reportOf(calmSoak()).holds, true, reportOf(calmSoak()).text)
  const flat = calmSoak().watched.samples
  const failures: [line: RegExp, change: Partial<Soak>][] = [
    [/within 5 s of each kill and each hang .* \| 5\.10 s at the longest of 2/, { readyAt: [1000, 12_000, 25_100] }],
    [/within 5 s of each kill and each hang/, { readyAt: [1000, 12_000] }],
    [/no engine was started again/, { lines: new Map([['error: engine process ended', 2]]) }],
    [
      /no engine was started again/,
      { lines: new Map([['error: engine process ended', 3], ['error: engine hangs', 1]]) }
    ],
    [/nothing is left in flight/, { after: new Map([['lavit_queue_length', 1]]) }],
    [/health\/live/, { watched: { samples: flat, health: [1, 2, 101] } }],
    [/health\/live/, { watched: { samples: flat, health: [1, 2, NaN] } }],
    [
      /memory of the server does not grow/,
      { watched: { samples: flat.map((sample, i) => ({ ...sample, server: 100 + i })), health: [1] } }
    ],
    [/memory of the engine does not grow \| 100\.0 ± /, { watched: { samples: flat.map(growing), health: [1] } }],
    [/exit code 1/, { exitCode: 1 }]
  ]
  for (const [line, change] of failures) {
    const { text, holds } = reportOf({ ...calmSoak(), ...change })
    t.equal(holds, false, line.source)
    t.match(text.split('\n').filter(row => row.includes('**fails**')), [line])
  }
})

t.test('garbage that is collected is no growth', t => {
  const { samples } = calmSoak().watched
  const full = samples.map((sample, i) => (sample.isCollected ? sample : { ...sample, server: 100 + i }))
  t.equal(reportOf({ ...calmSoak(), watched: { samples: full, health: [1] } }).holds, true)
  t.end()
})

t.test('pages that are held for a while are no growth, and steady growth is', t => {
  const { samples } = calmSoak().watched
  const holdsFor = (engineAt: (share: number) => number) => {
    const changed = samples.map((sample, i) => ({ ...sample, engine: engineAt(i / samples.length) }))
    return reportOf({ ...calmSoak(), watched: { samples: changed, health: [1] } }).holds
  }
  t.equal(holdsFor(share => 200 + (share > 0.5 && share < 0.8 ? 4 : 0) + (share > 0.9 ? 2 : 0)), true)
  t.equal(holdsFor(share => 200 + 4 * share), false)
  t.end()
})

function growing<Taken extends { engine: number }> (sample: Taken, i: number): Taken {
  return { ...sample, engine: 200 + i }
}

/** One in which an engine was killed and another made to hang, and all held. */
function calmSoak (): Soak {
  const head = {
    date: '',
    commit: '',
    arguments: '',
    processor: '',
    cores: 2,
    memoryGiB: 8,
    system: '',
    node: '',
    loadAverage: ''
  }
  return {
    head,
    minutes: 1,
    counts: createCounts(),
    watched: {
      samples: Array.from({ length: 400 }, (_, i) => ({
        minutes: i / 30,
        requests: i * 10,
        isCollected: i % 15 === 14,
        server: 100 + (i % 2),
        engine: 200 + (i % 2),
        decoders: 50 + (i % 2)
      })),
      health: [1, 2, 3]
    },
    injected: { deaths: [{ by: 'kill', at: 10_000 }, { by: 'hang', at: 20_000 }], decoders: 0 },
    readyAt: [1000, 12_000, 25_000],
    readyWithin: 5,
    lines: new Map([['error: engine process ended', 2], ['error: engine hangs', 1]]),
    before: new Map(),
    after: new Map([['lavit_requests_in_flight', 1]]),
    exitCode: 0
  }
}
