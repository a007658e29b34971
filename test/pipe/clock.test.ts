import { execFileSync } from 'node:child_process'
import t from 'tap'
import { machineMs } from '../../src/pipe/clock.ts'

t.test('processes read one clock', async t => {
  const before = machineMs()
  const file = new URL('../../src/pipe/clock.ts', import.meta.url).href
  const script = `import('${file}').then(({ machineMs }) => console.log(machineMs()))`
  const other = Number(execFileSync(process.execPath, ['--import', 'tsx', '-e', script]))
  t.ok(before <= other && other <= machineMs(), `${before} ${other}`)
})
