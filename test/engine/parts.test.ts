import t from 'tap'
import { createBatcher } from '../../src/engine/batcher.ts'
import type { FromEngine } from '../../src/pipe/messages.ts'
import type { Part } from '../../src/pipe/work.ts'
import { fakeGraphs, manifest } from './fixtures/fake-model.ts'
import { generateWork, textWork } from './fixtures/works.ts'

t.test('a followed request hears its place, its tokens and its steps, in order and before its end', async t => {
  const messages: FromEngine[] = []
  const batcher = createBatcher({
    manifest,
    graphs: fakeGraphs(),
    limits: { slots: 2, queueLimit: 50, queueCost: 100_000 },
    send: message => messages.push(message)
  })
  const follow = (id: number) =>
    messages.flatMap(message => (message.kind === 'part' && message.id === id ? [message.part] : []))
  const kinds = (parts: Part[]) => [...new Set(parts.map(({ kind }) => kind))]

  batcher.submit(1, generateWork(), { isFollowed: true }) // two rows with guidance: all slots
  batcher.submit(2, textWork({ n: 2 }), { isFollowed: true })
  batcher.submit(3, textWork({ n: 2 }), { isFollowed: true })
  batcher.submit(4, textWork({ n: 1 }))
  while (messages.filter(({ kind }) => kind === 'done').length < 4) await new Promise(resolve => setImmediate(resolve))

  t.strictSame(follow(4), [], 'nobody follows')
  t.strictSame(kinds(follow(1)), ['queued', 'token', 'step', 'picture'])
  t.strictSame(
    follow(1).filter(({ kind }) => kind === 'step'),
    [1, 2].map(step => ({ kind: 'step', sample: 0, step, of: 2 }))
  )
  t.strictSame(kinds(follow(3)), ['queued', 'token'])
  const positions = follow(3).flatMap(part => (part.kind === 'queued' ? [part.position] : []))
  t.equal(positions[0], 2)
  t.strictSame(
    positions,
    [...new Set(positions)].sort((a, b) => b - a),
    'told when it changes, and it only falls'
  )
  for (const id of [1, 2, 3]) {
    const own = messages.filter(message => 'id' in message && message.id === id)
    t.equal(own.at(-1)?.kind, 'done')
    t.match(own[0], { kind: 'placed', outlook: { ahead: id - 1, startMs: Number } })
    t.match(own[1], { kind: 'part', part: { kind: 'queued', position: id - 1 } })
  }
  await batcher.close()
})
