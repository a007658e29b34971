import { readFile } from 'node:fs/promises'
import t from 'tap'
import { renderKernel } from '../../../src/codecs/resize/compile.ts'

t.test('the binary is that of the text: npm run kernel writes it', async t => {
  const committed = await readFile(new URL('../../../src/codecs/resize/kernel.ts', import.meta.url), 'utf8')
  t.equal(committed, await renderKernel())
})
