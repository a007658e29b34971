/** The server writes no file: it works where the disk is full and the temporary folder is missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { follow } from './fixtures/server-process.ts'

t.setTimeout(120_000)

const root = join(import.meta.dirname, '..')
const scene = readFileSync(join(import.meta.dirname, 'fixtures/scene.png'))
const image = scene.toString('base64')

t.test('every job is answered where no byte can be written to any file', async t => {
  const folder = t.testdir()
  const { PATH } = process.env
  const node = [process.execPath, '--import', import.meta.resolve('tsx'), join(root, 'src/server.ts')]
  // Holds for the engines and decoders, too: a write to a file fails as on a full disk. The test runner, which comes by
  // NODE_OPTIONS, would write.
  const child = spawn('/bin/sh', ['-c', 'unset NODE_OPTIONS; ulimit -f 0; trap "" XFSZ; exec "$@"', 'sh', ...node], {
    cwd: folder,
    env: { PATH, PORT: '0', TMPDIR: join(folder, 'missing'), TSX_DISABLE_CACHE: '1', LAVIT_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const log = follow(child)
  const { msg } = await log.until(/listening/)
  await log.until(/model ready/)
  const send = (path: string, body: string | Buffer | FormData, headers: Record<string, string> = {}) =>
    fetch(`${/http:\S+/.exec(msg)?.[0]}${path}`, { method: 'POST', body, headers })
  const json = { 'content-type': 'application/json' }
  const form = new FormData()
  form.set('image', new Blob([scene, new Uint8Array(4 * 2 ** 20)], { type: 'image/png' }))
  const answers = await Promise.all([
    send('/tokenize', scene, { 'content-type': 'image/png' }),
    send('/tokenize', scene, { 'content-type': 'image/png', accept: 'image/png' }),
    send('/caption', form), // larger than what forms of others keep in memory
    send('/vqa', JSON.stringify({ image, question: 'what is there?', stream: true }), json),
    send('/generate', JSON.stringify({ prompt: 'a dog', stream: true, previews: 1 }), json),
    send('/detokenize', JSON.stringify({ visual_tokens: [1, 2, 3] }), json)
  ])
  for (const answer of answers) {
    t.equal(answer.status, 200, answer.url)
    t.notMatch(await answer.text(), /^event: error/m)
  }
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.strictSame(readdirSync(folder), [], 'and nothing was left where it ran')
  t.strictSame(log.lines.filter(({ level }) => level >= 40), [], 'nor warned of')
})
