import t from 'tap'
import { shareCores } from '../../src/registry/cores.ts'

t.test('engines and threads share the cores', async t => {
  const cases: [engines: number, threads: number, cores: number, expected: [number, number]][] = [
    [1, 0, 8, [1, 8]],
    [1, 4, 8, [1, 4]],
    [2, 0, 8, [2, 4]],
    [3, 0, 8, [3, 2]],
    [16, 0, 8, [16, 1]],
    [0, 0, 8, [8, 1]],
    [0, 2, 8, [4, 2]],
    [0, 16, 8, [1, 16]]
  ]
  for (const [engines, threads, cores, [expectedEngines, expectedThreads]] of cases) {
    t.strictSame(
      shareCores({ engines, threads }, cores),
      { engines: expectedEngines, threads: expectedThreads },
      `${engines} engines, ${threads} threads, ${cores} cores`
    )
  }
})
