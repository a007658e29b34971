/** Every snippet of the playground, run as it stands: it writes the bytes that the page is answered. */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { bodyOf, type Call } from '../../playground/src/pure/call.ts'
import { languages, writeSnippet, type Language } from '../../playground/src/pure/snippets.ts'
import { base64, buildTestApp, png } from '../helper.ts'

const image = { file: "a dog's.png", media_type: 'image/png', base64 }
const calls: Record<string, Call> = {
  tokens: { route: 'tokenize', image, options: { keep_threshold: 0.35, max_visual_tokens: 9 } },
  caption: { route: 'caption', image, options: { keep_threshold: 0.5, num_beams: 1, seed: 1 } },
  answer: { route: 'vqa', image, options: { question: 'is it "red" & $HOME `x` \\ ü?', num_beams: 1, seed: 1 } },
  painting: { route: 'generate', prompt: 'it\'s "red" & $HOME `x` \\ ü [1,  2]', options: { seed: 7, n: 2 } },
  'a mixed prompt': {
    route: 'generate',
    prompt: [
      { type: 'image', image },
      { type: 'text', text: 'on $1 `a` background' },
      { type: 'visual_tokens', visual_tokens: [1, 2, 3] },
      { type: 'image', image: { ...image, file: 'other.png' } }
    ],
    options: { seed: 7 }
  },
  'painting tokens': { route: 'detokenize', visual_tokens: [4, 5], options: { seed: 7, size: '8x8' } }
}
const commands: Record<Language, [string, ...string[]]> = {
  curl: ['sh', '-c'],
  JavaScript: [process.execPath, '--input-type=module', '-e'],
  Python: ['python3', '-c']
}
const programs: Record<Language, string> = { curl: 'curl', JavaScript: process.execPath, Python: 'python3' }

for (const language of languages) {
  const isThere = spawnSync(programs[language], ['--version']).status === 0
  t.test(`snippets in ${language}`, { skip: !isThere && `${programs[language]} is not installed` }, async t => {
    const app = await buildTestApp(t)
    const base = `${await app.listen({ port: 0 })}/`
    const cwd = t.testdir({})
    for (const file of [image.file, 'other.png']) writeFileSync(join(cwd, file), png)
    for (const [name, call] of Object.entries(calls)) {
      const answer = await app.inject({ method: 'POST', url: `/${call.route}`, payload: bodyOf(call) })
      t.equal(answer.statusCode, 200, answer.body.slice(0, 200))
      const [command, ...before] = commands[language]
      const snippet = writeSnippet(language, call, { base, needsKey: false })
      const { stdout } = await promisify(execFile)(command, [...before, snippet], { cwd })
      t.equal(stdout, answer.body, name)
    }
  })

  t.test(`a snippet in ${language} reads its key from the environment`, async t => {
    const call: Call = { route: 'generate', prompt: 'a dog', options: {} }
    const snippet = writeSnippet(language, call, { base: 'http://x/', needsKey: true })
    t.match(snippet, /authorization/i)
    t.match(snippet, /LAVIT_KEY/)
  })
}
