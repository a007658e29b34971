/** What files may take of the disk, together and of each owner. */
import t from 'tap'
import { createDisk } from '../../src/batches/disk.ts'

const kib = 1024

t.test('no more than there is, and small files count, too', async t => {
  const disk = createDisk({ most: 256 * kib, share: 1 })
  const small = disk.hold('a')
  small.take(1)
  t.equal(disk.total(), 64 * kib)
  small.take(63 * kib)
  t.equal(disk.total(), 64 * kib, 'as it grows it counts what it is')
  const large = disk.hold('a')
  large.take(192 * kib)
  t.throws(() => small.take(2 * kib), { code: 'storage_full' } as never)
  t.equal(disk.total(), 256 * kib, 'what is refused takes nothing')
  large.end()
  large.end()
  t.equal(disk.total(), 64 * kib)
  disk.hold('a').restore(1024 * kib)
  t.equal(disk.total(), 1088 * kib, 'what is there is there')
})

t.test('an owner leaves room for others', async t => {
  const disk = createDisk({ most: 1024 * kib, share: 0.5 })
  const greedy = disk.hold('a')
  greedy.take(64 * kib)
  const more = disk.hold('a')
  t.throws(() => more.take(512 * kib), { code: 'storage_full' } as never)
  more.take(448 * kib)
  disk.hold('b').take(256 * kib)
})
