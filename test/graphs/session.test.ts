import t from 'tap'
import { floats, openSession } from '../../src/graphs/session.ts'

const painter = new URL('../../models/lavit-mini/painter.onnx', import.meta.url).pathname
const cpu = { device: 'cpu', threads: 1 } as const

t.test('a session', async t => {
  const session = await openSession(painter, cpu)
  t.teardown(() => session.release())
  const condition = { type: 'float32' as const, data: new Float32Array(2 * 64 * 192).fill(0.1), dims: [1, 64, 192] }
  const inputOf = (data: Float32Array) => ({ condition: { ...condition, data } })

  t.test('gives its outputs by name', async t => {
    const picture = floats(await session.run(inputOf(condition.data.subarray(0, 64 * 192))), 'picture')
    t.equal(picture.length, 3 * 96 * 96)
    t.throws(() => floats({}, 'picture'), /no float32 output picture/)
  })

  t.test('tells the shapes that its file declares, with names for what is known at the run', async t => {
    t.strictSame(session.outputShapes, { picture: ['batch', 3, 96, 96] })
  })

  t.test('reads a window of a larger array', async t => {
    const slab = Float32Array.from(condition.data, (_, i) => Math.sin(i))
    const window = slab.subarray(64 * 192)
    const [a, b] = [await session.run(inputOf(window)), await session.run(inputOf(window.slice()))]
    t.strictSame(floats(a, 'picture'), floats(b, 'picture'))
  })

  t.test('names missing and unknown inputs before it runs', async t => {
    await t.rejects(session.run({}), { message: 'missing graph inputs: condition' })
    await t.rejects(session.run({ ...inputOf(condition.data), other: condition }), {
      message: 'unknown graph inputs: other'
    })
  })

  t.test('tells types and dims of a failed run, never the data', async t => {
    const error: Error = await session
      .run({ condition: { type: 'float32', data: Float32Array.of(0.123), dims: [1, 1, 1] } })
      .then(
        () => {
          throw new Error('ran')
        },
        error => error
      )
    t.match(error.message, /condition float32\[1,1,1\]/)
    t.notMatch(error.message + String(error.cause), /0\.123/)
  })
})

t.test('a missing file or device is refused', async t => {
  await t.rejects(openSession(`${painter}.missing`, cpu))
  await t.rejects(openSession(painter, { device: 'webgpu', threads: 1 }))
})
