import t from 'tap'
import { createTurns } from '../../src/engine/turns.ts'

t.test('much work of one client does not stand before the first of another', async t => {
  const turns = createTurns()
  const heavy = [1, 2, 3].map(() => turns.take('heavy', 100))
  const light = turns.take('light', 10)
  t.strictSame(heavy, [0, 100, 200])
  t.equal(light, 0)
  turns.begin(100)
  t.equal(turns.take('other', 10), 100, 'whoever comes late has no claim on the past')
  t.equal(turns.take('light', 10), 100)
  t.equal(turns.take('light', 10), 110)
})

t.test('over time clients get the same cost done, whatever the size of their requests', async t => {
  const turns = createTurns()
  const waiting: { client: string; cost: number; turn: number }[] = []
  const add = (client: string, cost: number) => waiting.push({ client, cost, turn: turns.take(client, cost) })
  const done: Record<string, number> = { large: 0, small: 0 }
  for (let i = 0; i < 4; i++) {
    add('large', 90)
    add('small', 10)
  }
  for (let i = 0; i < 500; i++) {
    waiting.sort((a, b) => a.turn - b.turn)
    const next = waiting.shift()
    if (next === undefined) break
    turns.begin(next.turn)
    done[next.client] = (done[next.client] ?? 0) + next.cost
    add(next.client, next.cost)
  }
  const { large = 0, small = 0 } = done
  t.ok(Math.abs(large - small) <= 180, `${large} and ${small}`)
})

t.test('what ended before it began is not held against its client', async t => {
  const turns = createTurns()
  t.strictSame([turns.take('hasty', 100), turns.take('hasty', 40)], [0, 100])
  turns.giveBack('hasty', 40)
  t.equal(turns.take('hasty', 10), 100)
  turns.begin(100)
  turns.giveBack('hasty', 100)
  t.equal(turns.take('hasty', 10), 100, 'no claim on the past comes of it')
  turns.begin(200)
  turns.giveBack('hasty', 10)
  t.equal(turns.take('hasty', 10), 200, 'one that is forgotten')
})
