/** Whether a device runs a product of two small matrices, in single and in half precision. */
import { floats, openSession, type Device, type Input, type Session } from '../graphs/session.ts'
import { refusalOf } from './refusal.ts'

// c = a b of [2, 2] each, opset 17; the second with both cast to half precision, and c back
const single =
  'CAg6VQoRCgFhCgFiEgFjIgZNYXRNdWwSAXBaEwoBYRIOCgwIARIICgIIAgoCCAJaEwoBYhIOCgwIARIICgIIAgoCCAJiEwoBYxIOCgwI' +
  'ARIICgIIAgoCCAJCBAoAEBE='
const half =
  'CAg6oAEKFwoBYRIBeCIEQ2FzdCoJCgJ0bxgKoAECChcKAWISAXkiBENhc3QqCQoCdG8YCqABAgoRCgF4CgF5EgF6IgZNYXRNdWwKFwoBehIBYyIE' +
  'Q2FzdCoJCgJ0bxgBoAECEgFwWhMKAWESDgoMCAESCAoCCAIKAggCWhMKAWISDgoMCAESCAoCCAIKAggCYhMKAWMSDgoMCAESCAoCCAIKAggCQgQK' +
  'ABAR'

const values: Input = { type: 'float32', data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] }
const product = [7, 10, 15, 22]

export async function tryDevice (device: Device): Promise<{ f16: boolean; fault: string | null }> {
  try {
    await multiply(device, single)
  } catch (error) {
    return { f16: false, fault: refusalOf(error, device).reason }
  }
  const f16 = await multiply(device, half).then(
    () => true,
    () => false
  )
  return { f16, fault: null }
}

async function multiply (device: Device, graph: string): Promise<void> {
  let session: Session | undefined
  try {
    session = await openSession(Buffer.from(graph, 'base64'), { device, threads: 1 })
    const result = floats(await session.run({ a: values, b: values }), 'c')
    if (product.some((value, i) => value !== result[i])) throw new Error(`the product is ${result.join(', ')}`)
  } finally {
    await session?.release()
  }
}
