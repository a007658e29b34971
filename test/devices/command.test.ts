import t from 'tap'
import { ask } from '../../src/devices/command.ts'

t.test('a program answers, or there is nothing', async t => {
  t.equal(await ask(process.execPath, ['-p', '1 + 1']), '2\n')
  t.equal(await ask(process.execPath, ['-e', 'process.exit(1)']), undefined)
  t.equal(await ask('a-tool-that-nobody-has', []), undefined)
})
