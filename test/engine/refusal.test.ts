import t from 'tap'
import { GraphError } from '../../src/engine/open-engine.ts'
import { refusalOf } from '../../src/engine/refusal.ts'
import { MisfitError } from '../../src/graphs/session.ts'

const broken = (cause: string) => new GraphError('vision', { cause: new Error(cause) })

t.test('what the operator can do something about is told', async t => {
  t.match(refusalOf(broken('Failed to get a WebGPU adapter: No supported adapters'), 'webgpu'), {
    reason: /finds no GPU; is a Vulkan driver installed/,
    trouble: undefined
  })
  t.match(refusalOf(broken('Gather: data type f16 requires f16 extension'), 'webgpu'), { reason: /shader-f16/ })
  t.strictSame(refusalOf(broken('Failed to create GPU buffer: size=9'), 'webgpu'), {
    reason: 'the device has too little memory',
    trouble: 'memory'
  })
  t.match(refusalOf(new Error('x', { cause: 'device lost' }), 'webgpu'), { trouble: 'lost' })
})

t.test("a library's other words are not", async t => {
  t.strictSame(refusalOf(broken('/secret/path is bad'), 'webgpu'), {
    reason: 'the engine cannot open its graph vision on the device webgpu',
    trouble: undefined
  })
  t.match(refusalOf(new Error('x'), 'cpu'), { reason: 'the engine cannot run it on the device cpu' })
  const failing = 'the first tokenize fails: its graph vision gives values of features that are no numbers'
  t.match(refusalOf(new Error(failing), 'webgpu'), { reason: /^its graph vision gives .* on the device webgpu$/ })
  t.match(refusalOf(new MisfitError('9 layers'), 'cpu'), { reason: '9 layers' })
})
