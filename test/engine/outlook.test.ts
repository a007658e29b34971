import t from 'tap'
import { createDevice } from '../../src/engine/device.ts'
import { startFlow } from '../../src/engine/flows/start.ts'
import { createOutlook } from '../../src/engine/outlook.ts'
import type { Unit } from '../../src/engine/stations/queue.ts'
import { createTicket } from '../../src/engine/ticket.ts'
import type { Stage } from '../../src/pipe/messages.ts'
import type { Work } from '../../src/pipe/work.ts'
import { fakeGraphs, manifest } from './fixtures/fake-model.ts'
import { generateWork, picture, textWork } from './fixtures/works.ts'

const tokenize: Work = { task: 'tokenize', picture: picture() }

/** An outlook, and units that took so long. */
function createWatched () {
  let now = 0
  const outlook = createOutlook(() => now)
  const wait = (ms: number) => {
    now += ms
  }
  return { outlook, wait, pass }

  function pass (kind: Stage, rows: number, ms: number) {
    outlook.begin({ kind, rows })
    wait(ms)
    outlook.end()
    outlook.turn()
  }
}

t.test('what runs is expected to last as long as it lately did, less what is over', async t => {
  const { outlook, wait, pass } = createWatched()
  for (let i = 0; i < 5; i++) pass('decode', 4, 10)
  t.equal(outlook.after(['decode', 'decode']), 20.1, 'of a device at rest, which turns to it at once')
  outlook.begin({ kind: 'decode', rows: 4 })
  wait(4)
  t.equal(outlook.after([]), 6)
  t.equal(outlook.after(['decode']), 16)
  wait(20)
  t.equal(outlook.after([]), 0.1, 'it lasts longer than any did')
  outlook.end()
  t.equal(outlook.after([]), 0.1)
})

t.test('a unit that has lasted longer than most is expected to last as the longer ones did', async t => {
  const { outlook, wait, pass } = createWatched()
  for (const ms of [5, 30, 5, 5, 30, 5, 40]) pass('encode', 1, ms)
  outlook.begin({ kind: 'encode', rows: 1 })
  t.equal(outlook.after([]), 5)
  wait(6)
  t.equal(outlook.after([]), 24)
})

t.test('units of as many rows tell most, and of units that were not seen there is an idea', async t => {
  const { outlook, pass } = createWatched()
  t.ok(outlook.after(['paint']) > 1)
  for (let i = 0; i < 4; i++) pass('encode', 4, 20)
  for (let i = 0; i < 9; i++) pass('encode', 1, 5)
  outlook.begin({ kind: 'encode', rows: 4 })
  t.equal(outlook.after([]), 20)
})

/** A device to which requests come, whose units are taken by hand. */
function createHanded () {
  const device = createDevice(manifest, fakeGraphs(), 8)
  let id = 0
  return { ...device, come, unitsBefore }

  function come (work: Work) {
    const asked = { id, charge: 1, client: '', isBulk: false, turn: id++, sentAt: 0 }
    const ticket = createTicket(asked, () => {})
    startFlow(ticket, work, device.stations).catch(() => {})
    return ticket
  }

  /** Kinds of the units that then run before a ticket's first one, after `running` is done. */
  async function unitsBefore (ticket: ReturnType<typeof come>, running?: Unit): Promise<Stage[]> {
    const kinds: Stage[] = []
    for (let unit = running; ; unit = device.next()) {
      if (unit?.tickets.includes(ticket)) return kinds
      if (unit !== undefined && unit !== running) kinds.push(unit.kind)
      const settle = await unit?.run()
      settle?.()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

t.test('the units before the first of a request are those whose turn then comes', async t => {
  const cases: { there: Work[]; units: number; comes: Work; before: Stage[] }[] = [
    { there: [], units: 0, comes: tokenize, before: [] },
    { there: Array(3).fill(tokenize), units: 0, comes: tokenize, before: [] },
    { there: Array(4).fill(tokenize), units: 0, comes: tokenize, before: ['encode'] },
    { there: Array(9).fill(tokenize), units: 1, comes: tokenize, before: ['encode'] },
    { there: [tokenize], units: 0, comes: textWork(), before: ['encode'] },
    { there: [textWork()], units: 1, comes: tokenize, before: ['decode'] },
    { there: [textWork(), generateWork()], units: 3, comes: tokenize, before: [] },
    { there: [textWork(), tokenize], units: 2, comes: generateWork(), before: ['decode'] }
  ]
  for (const [i, { there, units, comes, before }] of cases.entries()) {
    const handed = createHanded()
    for (const work of there) handed.come(work)
    let running: Unit | undefined
    for (let i = 0; i < units; i++) {
      const settle = await running?.run()
      settle?.()
      await new Promise(resolve => setImmediate(resolve))
      running = handed.next()
    }
    const ticket = handed.come(comes)
    t.strictSame(handed.before(ticket, running), before, `${i}: expected`)
    t.strictSame(await handed.unitsBefore(ticket, running), before, `${i}: as it is`)
  }
})
