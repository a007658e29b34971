import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { release } from '../../src/codecs/release.ts'

t.test('memory of a file is free at once', async t => {
  await pause(10) // the port has closed
  const file = new Uint8Array(2 ** 26).fill(1)
  const before = process.memoryUsage().arrayBuffers
  release(file)
  t.equal(file.byteLength, 0)
  t.ok(before - process.memoryUsage().arrayBuffers > 2 ** 25)
  release(file) // does no harm
})

t.test('bytes that share their memory stay', async t => {
  const whole = Buffer.from(new ArrayBuffer(100_000)).fill('a')
  for (const part of [whole.subarray(1), whole.subarray(0, 50_000), Buffer.from('short')]) release(part)
  release(new Uint8Array(new SharedArrayBuffer(100_000)))
  t.equal(whole.toString(), 'a'.repeat(100_000))
})
