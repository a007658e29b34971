// covers: src/cli/commands/estimate.ts
/** lavit estimate: words and options are those of the jobs, and none is done. */
import t from 'tap'
import { join } from 'node:path'
import { buildTestApp } from '../helper.ts'
import { lavit } from './fixtures/lavit.ts'

const picture = join(import.meta.dirname, '../fixtures/scene.png')

t.test('each job is estimated by the words of its command', async t => {
  const app = await buildTestApp(t)
  const url = await app.listen({ port: 0 })
  const estimate = (...words: string[]) => lavit(['estimate', ...words, '--url', url])
  for (const [words, counts] of [
    [['caption', picture, '--num-beams', '2'], /, ~\S+ visual_tokens, 0 prompt_tokens, ~\S+ completion_tokens$/],
    [['ask', 'what is it?', picture], /prompt_tokens/],
    [['tokenize', picture], / 16 patches$/],
    [['paint', 'a dog', '--steps', '2', '--size', '8x8'], / 2 steps$/],
    [['detokenize', '1', '2', '3', '--size', '8x8'], /, 3 visual_tokens, 0 prompt_tokens, /]
  ] as const) {
    const { stdout, stderr, code } = await estimate(...words)
    t.strictSame({ stderr, code }, { stderr: '', code: 0 }, words[0])
    t.match(stdout.trim(), /^[\d.]+ s, begins in [\d.]+ s behind 0, cost \d+, /)
    t.match(stdout.trim(), counts)
  }
  t.strictSame(app.seen.works, [])

  const two = await estimate('tokenize', picture, picture, '--json')
  const lines = two.stdout.trim().split('\n').map(line => JSON.parse(line))
  t.match(lines, [{ input: picture, job: 'tokenize', seconds: Number }, { input: picture }])
  t.match(await estimate('ask', 'what?', picture, '--top-p', '2'), { code: 4, stderr: /top_p/ })
  for (const words of [['ask'], ['tokenize'], ['caption'], ['sing']]) {
    t.equal((await estimate(...words)).code, 2, words.join())
  }
})

t.test('in process', async t => {
  const { stdout, code } = await lavit(['estimate', 'tokenize', picture, '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { job: 'tokenize', model: 'lavit-mini', usage: { patches: 64 } })
})
