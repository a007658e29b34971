/** The file that carries a history, and two runs side by side; moving by arrow keys. */
import t from 'tap'
import { arrowTo } from '../../playground/src/pure/arrows.ts'
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../../playground/src/pure/base64.ts'
import { compare } from '../../playground/src/pure/compare.ts'
import { readHistory, writeHistory, type Run } from '../../playground/src/pure/history-file.ts'
import { pictureOf, tellAnswer, tellAsked } from '../../playground/src/pure/tell-run.ts'

const file = { file: 'fox.png', media_type: 'image/png', base64: 'AAAA' }
const run: Run = {
  id: 'a',
  at: '2026-11-28T00:00:00.000Z',
  ms: 120,
  model: { name: 'lavit-mini', version: '0.7.0' },
  call: { route: 'vqa', image: file, options: { question: 'what is it?', seed: 1, keep_threshold: 0.5 } },
  answer: '{"answers":[{"text":"fox"}]}'
}
const painted: Run = {
  ...run,
  id: 'b',
  call: {
    route: 'generate',
    prompt: [
      { type: 'image', image: file },
      { type: 'text', text: 'on red' },
      { type: 'visual_tokens', visual_tokens: [1, 2] }
    ],
    options: { seed: 7 }
  },
  answer: '{"images":[{"seed":7,"visual_tokens":[1,2,3],"media_type":"image/png","data":"BBBB"}]}'
}

t.test('what is exported is imported as it was', async t => {
  t.strictSame(readHistory(writeHistory([run, painted])), [run, painted])
  t.strictSame(readHistory(writeHistory([])), [])
})

t.test('a file that is no history brings nothing', async t => {
  for (const text of ['', '[]', 'null', '{"format":"lavit-history","version":2,"runs":[]}']) {
    t.equal(readHistory(text), undefined, text)
  }
  for (const wrong of [{ id: 7 }, { call: {} }, { answer: 'no JSON' }, { ms: '1' }, { model: null },
    // what the page could not show, and would keep all the same
    { at: 'yesterday' }, { answer: '{}' }, { answer: '{"answers":5}' },
    { answer: '{"answers":[null]}' }, { answer: '{"answers":[{"text":{}}]}' },
    { call: painted.call, answer: '{"images":{}}' }, { call: painted.call, answer: run.answer },
    { call: painted.call, answer: '{"images":[{"visual_tokens":[1]}]}' },
    { call: painted.call, answer: '{"images":[{"visual_tokens":[1],"media_type":"text/html","data":"AAAA"}]}' }]) {
    const runs = [{ ...run, ...wrong }]
    t.equal(readHistory(JSON.stringify({ format: 'lavit-history', version: 1, runs })), undefined)
  }
})

t.test('runs are told in a line', async t => {
  t.strictSame([run, painted].map(tellAsked), ['what is it?', '[fox.png] on red [2 tokens]'])
  t.equal(pictureOf(painted), 'data:image/png;base64,BBBB', 'what was painted')
  t.equal(pictureOf(run), 'data:image/png;base64,AAAA', 'what was asked about')
  t.strictSame([run, painted].map(tellAnswer), ['fox', 'seed 7, 3 tokens'])
})

t.test('two runs side by side mark what differs, and that alone', async t => {
  const other: Run = { ...run, call: { ...run.call, options: { question: 'what is it?', seed: 2, num_beams: 2 } } }
  t.strictSame(
    compare(run, other).filter(({ differs }) => differs),
    [
      { name: 'keep_threshold', left: 0.5, differs: true },
      { name: 'seed', left: 1, right: 2, differs: true },
      { name: 'num_beams', right: 2, differs: true }
    ]
  )
  t.notOk(compare(run, { ...run, id: 'c', at: '2026-11-29' }).some(({ differs }) => differs))
})

t.test('arrow keys move within a grid and stay at its rim', async t => {
  const to = (key: string, at: number) => arrowTo(key, at, 64, 8)
  const keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End']
  t.strictSame(keys.map(key => to(key, 9)), [8, 10, 1, 17, 8, 15])
  t.strictSame(['ArrowLeft', 'ArrowUp', 'Home'].map(key => to(key, 0)), [0, 0, 0])
  t.strictSame(['ArrowRight', 'ArrowDown', 'End'].map(key => to(key, 63)), [63, 63, 63])
  t.equal(to('Tab', 0), undefined)
})

t.test('base64 is what Node writes', async t => {
  const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7)
  t.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
  t.equal(toBase64Url(bytes), Buffer.from(bytes).toString('base64url'))
  t.strictSame(fromBase64(toBase64(bytes)), bytes)
  t.strictSame(fromBase64Url(toBase64Url(bytes)), bytes)
})
