// covers: src/engine/stations/pieces.ts
import t from 'tap'
import type { Graphs } from '../../src/engine/device.ts'
import { createPrefixes } from '../../src/engine/prefixes.ts'
import type { Picture } from '../../src/pipe/work.ts'
import { fakeGraphs } from './fixtures/fake-model.ts'
import { createHarness } from './fixtures/harness.ts'
import { picture, textWork } from './fixtures/works.ts'

const readOf = (places: number) => ({
  row: { length: places, slabs: [new Float32Array(places)] },
  state: new Float32Array(1)
}) // four bytes a place, and four for the state

t.test('what was used last stays within the memory', async t => {
  const prefixes = createPrefixes(32)
  prefixes.keep('a', readOf(3))
  prefixes.keep('b', readOf(3))
  prefixes.keep('too large', readOf(8))
  t.equal(prefixes.bytes(), 32)
  t.equal(prefixes.use('a')?.row.length, 3)
  prefixes.keep('c', readOf(2))
  t.strictSame(['a', 'b', 'c', 'too large'].map(name => prefixes.find(name)?.row.length), [3, undefined, 2, undefined])
  t.equal(prefixes.bytes(), 28)
  t.equal(prefixes.use(undefined), undefined)
})

/** The model without weights, and how many tokens each run of it reads, of how many prompts. */
function watchedGraphs (): { graphs: Graphs; reads: { rows: number; tokens: number }[] } {
  const graphs = fakeGraphs()
  const reads: { rows: number; tokens: number }[] = []
  const { run } = graphs.languageModel
  const languageModel: Graphs['languageModel'] = {
    run (tokens, cache) {
      const read = tokens.positions.filter(position => position < 1000).length
      if (tokens.count > 1) reads.push({ rows: cache.rows, tokens: read })
      return run(tokens, cache)
    }
  }
  return { graphs: { ...graphs, languageModel }, reads }
}

const named = (ref: string, bytes?: number[]): Picture => ({ ...picture(bytes), ref })
const asked = (about: Picture, words: number[], more = {}) =>
  textWork({
    segments: [
      { kind: 'ids', ids: [100] },
      { kind: 'features', picture: about },
      { kind: 'ids', ids: [101, ...words] }
    ],
    ...more
  })
const works = [
  asked(named('one'), [5, 6, 7]),
  asked(named('one'), [8, 9]),
  asked(named('one'), []),
  asked(named('one'), [5], { numBeams: 2, sampling: { ...textWork().sampling, temperature: 0 } }),
  asked(named('other', [200, 200, 3, 4]), [5, 6, 7], { n: 2 }),
  asked(named('other', [200, 200, 3, 4]), [6, 6, 7])
]

t.test('a picture that a prompt begins with is read once, and answers are the same', async t => {
  const expected = await Promise.all(works.map(work => createHarness().run(work)))
  const { graphs, reads } = watchedGraphs()
  const { run } = createHarness(graphs, { slots: 8, prefixBytes: 10_000 })
  for (const [i, work] of works.entries()) t.strictSame((await run(work)).sequences, expected[i]?.sequences, `${i}`)
  // image start, two patches that stay, image end
  t.strictSame(reads.map(({ tokens }) => tokens), [4, 3, 2, 1, 4, 3, 3])
})

t.test('of requests at once one reads the picture, and what comes after it is read together', async t => {
  const expected = await Promise.all(works.map(work => createHarness().run(work)))
  const { graphs, reads } = watchedGraphs()
  const { batcher, all } = createHarness(graphs, { slots: 8, prefixBytes: 10_000 })
  const together = [0, 5, 1]
  for (const i of together) batcher.submit(i, works[i]!)
  for (const [place, end] of (await all(together)).entries()) {
    if (end.kind !== 'done' || !('sequences' in end.result)) throw new Error(end.kind)
    t.strictSame(end.result.sequences, expected[together[place]!]?.sequences)
  }
  t.strictSame(reads, [{ rows: 2, tokens: 8 }, { rows: 3, tokens: 8 }])
})

t.test('without memory nothing is kept', async t => {
  const { graphs, reads } = watchedGraphs()
  const { run } = createHarness(graphs)
  for (const work of works.slice(0, 2)) await run(work)
  t.strictSame(reads.map(({ tokens }) => tokens), [4, 3, 4, 2])
})
