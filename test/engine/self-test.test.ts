import t from 'tap'
import { createSelfTest, SelfTestError } from '../../src/engine/self-test.ts'
import type { Output, Session } from '../../src/graphs/session.ts'
import { hostInputs } from '../fixtures/values.ts'

/** A graph that gives these values whatever it is fed, and counts its runs. */
function fixed (outputs: Record<string, Output['data']>) {
  const seen: unknown[] = []
  let released = 0
  const session: Session = {
    inputNames: ['x'],
    outputNames: Object.keys(outputs),
    outputShapes: {},
    async run (inputs) {
      seen.push([...(hostInputs(inputs).x?.data ?? [])])
      return Object.fromEntries(Object.entries(outputs).map(([name, data]) => [name, { data, dims: [data.length] }]))
    },
    async release () {
      released++
    }
  }
  return { session, seen, released: () => released }
}

const inputs = () => ({ x: { type: 'float32' as const, data: Float32Array.of(1, 2), dims: [2] } })

async function compare (device: Record<string, Output['data']>, processor: Record<string, Output['data']>) {
  const selfTest = createSelfTest()
  const watched = selfTest.watch('vision', fixed(device).session, { isKept: true })
  const fed = inputs()
  await watched.run(fed)
  fed.x.data.fill(9)
  await watched.run(fed)
  const reference = fixed(processor)
  await selfTest.compare(async () => reference.session)
  return reference
}

t.test('the first run is done again on the processor, with what it was fed then, once', async t => {
  const near = { y: Float32Array.of(1, 100), codes: BigInt64Array.of(...Array(40).fill(1n)) }
  const other = { y: Float32Array.of(2.5, 99), codes: BigInt64Array.of(2n, ...Array(39).fill(1n)) }
  const reference = await compare(near, other)
  t.strictSame(reference.seen, [[1, 2]])
  t.equal(reference.released(), 1)
})

t.test('values that are far from those of the processor are refused', async t => {
  const far = new SelfTestError('its graph vision gives other values of y than the processor')
  await t.rejects(compare({ y: Float32Array.of(1, 100) }, { y: Float32Array.of(1, 97) }), far)
  await t.rejects(compare({ y: BigInt64Array.of(1n, 2n) }, { y: BigInt64Array.of(1n, 3n) }), far)
  await t.rejects(compare({ y: Float32Array.of(1) }, { y: Float32Array.of(1, 1) }), far)
})

t.test('what comes by its scores may change places where these are near', async t => {
  const ids = (...values: number[]) => ({ scores: Float32Array.of(9, 5, 5.001, 1), ids: Int32Array.from(values) })
  await compare(ids(7, 3, 4, 8), { scores: Float32Array.of(9, 5.001, 5, 1), ids: BigInt64Array.of(7n, 4n, 3n, 8n) })
  const far = new SelfTestError('its graph vision gives other values of ids than the processor')
  await t.rejects(compare(ids(7, 3, 3, 8), ids(7, 4, 3, 8)), far)
  await t.rejects(compare({ codes: Int32Array.of(1, 2) }, { codes: Int32Array.of(2, 1) }), /other values of codes/)
})

t.test('values that are no numbers are refused as they come, in the first run', async t => {
  const selfTest = createSelfTest()
  const { session } = fixed({ y: Float32Array.of(1, NaN) })
  await t.rejects(selfTest.watch('painter', session, { isKept: false }).run(inputs()), {
    message: 'its graph painter gives values of y that are no numbers'
  })
})

t.test('large graphs are not run twice', async t => {
  const selfTest = createSelfTest()
  await selfTest.watch('vision', fixed({ y: Float32Array.of(1) }).session, { isKept: false }).run(inputs())
  await selfTest.compare(async () => t.fail('opened') as never)
})
