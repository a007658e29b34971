// covers: src/engine/try-device.ts
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { tryDevice } from '../../src/pipe/try-device.ts'

t.setTimeout(120_000)

t.test('the processor multiplies two matrices, in a process of its own', async t => {
  t.match(await tryDevice({ kind: 'cpu', environment: {} }), { f16: Boolean, fault: null })
})

t.test('what ends without a word is a fault, and the environment reaches it', async t => {
  const folder = t.testdir({ 'dies.mjs': 'process.exit(Number(process.env.LUCK))' })
  const entry = pathToFileURL(join(folder, 'dies.mjs'))
  t.strictSame(await tryDevice({ kind: 'webgpu', environment: { LUCK: '7' } }, { entry }), {
    f16: false,
    fault: 'the process that tried it ended (exit code 7)'
  })
})
