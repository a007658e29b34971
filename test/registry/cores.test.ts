import t from 'tap'
import { shareCores } from '../../src/registry/cores.ts'

const gigabyte = 2 ** 30

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
      shareCores({ engines, threads, device: 'cpu' }, { cores, memory: 64 * gigabyte }, gigabyte),
      { engines: expectedEngines, threads: expectedThreads },
      `${engines} engines, ${threads} threads, ${cores} cores`
    )
  }
})

t.test('engines that were not asked for by number take half of the memory at most', async t => {
  const onMachine = (memory: number, engines = 0) =>
    shareCores({ engines, threads: 0, device: 'cpu' }, { cores: 8, memory: memory * gigabyte }, 5 * gigabyte)
  t.strictSame(onMachine(64), { engines: 6, threads: 1 })
  t.strictSame(onMachine(16), { engines: 1, threads: 8 })
  t.strictSame(onMachine(4), { engines: 1, threads: 8 }, 'one there must be')
  const machine = { cores: 8, memory: 64 * gigabyte }
  const within = (budget: number) =>
    shareCores({ engines: 0, threads: 0, device: 'cpu' }, machine, gigabyte, budget * gigabyte)
  t.strictSame(within(3.5), { engines: 3, threads: 2 }, 'nor more than the budget')
  t.strictSame(within(0.5), { engines: 1, threads: 8 })
  t.strictSame(onMachine(4, 2), { engines: 2, threads: 4 }, 'whoever names a number knows')
})

t.test('a device other than the processor has one engine', async t => {
  const machine = { cores: 8, memory: 64 * gigabyte }
  t.strictSame(shareCores({ engines: 0, threads: 0, device: 'webgpu' }, machine, gigabyte), { engines: 1, threads: 8 })
})
