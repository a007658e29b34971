import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createCollector } from '../../src/engine/collect.ts'

t.test('garbage is collected after each so many jobs, once what has ended is told', async t => {
  const seen: string[] = []
  const noteEnd = createCollector(() => seen.push('collected'), 3)
  for (let job = 1; job <= 7; job++) {
    noteEnd()
    seen.push(`told ${job}`)
    await nextTurn()
  }
  t.strictSame(seen, [1, 2, 3, 'c', 4, 5, 6, 'c', 7].map(what => (what === 'c' ? 'collected' : `told ${what}`)))
})
