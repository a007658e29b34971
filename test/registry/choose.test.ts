import t from 'tap'
import { createChoice } from '../../src/registry/choose.ts'
import { picture, textWork } from '../engine/fixtures/works.ts'

const about = (ref: string) =>
  textWork({
    segments: [
      { kind: 'ids', ids: [1] },
      { kind: 'features', picture: { ...picture(), ref } }
    ]
  })

/** Two engines that have so much to do. */
function engines (...costs: number[]) {
  const busy = [...costs]
  return { busy, all: costs.map((_, i) => ({ cost: () => busy[i] ?? 0 })) }
}

t.test('a work goes to the engine with the least to do, whatever others were about', async t => {
  const { all } = engines(3, 2)
  const choose = createChoice()
  t.equal(choose(all, textWork()), all[1])
  t.equal(choose(all, about('a')), all[1])
  t.equal(choose([], about('a')), undefined)
})

t.test('one about a picture goes to the engine that read it, unless that has clearly more to do', async t => {
  const { all, busy } = engines(20, 10)
  const choose = createChoice()
  t.equal(choose(all, about('a')), all[1])
  busy[0] = 10
  t.equal(choose(all, about('a')), all[1], 'as much')
  t.equal(choose(all, about('b')), all[0], 'another picture')
  busy[1] = 12
  t.equal(choose(all, about('a')), all[1], 'a little more')
  t.equal(choose(all, textWork()), all[0], 'about no picture')
  busy[1] = 13
  t.equal(choose(all, about('a')), all[0], 'clearly more')
  busy[1] = 9
  t.equal(choose(all, about('a')), all[0], 'which read it last')
})

t.test('an engine that has ended is not chosen', async t => {
  const { all } = engines(0, 1)
  const choose = createChoice()
  t.equal(choose(all, about('a')), all[0])
  t.equal(choose(all.slice(1), about('a')), all[1])
})
