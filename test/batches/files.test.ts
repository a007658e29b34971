/** Files on a disk that fails. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createDisk } from '../../src/batches/disk.ts'
import { openFiles } from '../../src/batches/files.ts'
import { openFolder } from '../../src/batches/folder.ts'

t.test('a file whose words cannot be written is not kept, nor counted', async t => {
  const path = t.testdir()
  const folder = openFolder(path)
  const disk = createDisk({ most: 1e6, share: 1 })
  let written = 0
  const temporary = () => (written++ === 0 ? folder.temporary() : join(path, 'nowhere/at/all'))
  const files = openFiles({ ...folder, temporary }, disk, { mostFileBytes: 1e6, keepSeconds: 60 }, { warn () {} })
  async function * content () {
    yield Buffer.alloc(1000)
  }
  const received = await files.receive('', content())
  const asked = { owner: '', filename: 'a', purpose: 'batch', keepSeconds: 60 } as const
  await t.rejects(files.add(received, asked), { code: 'ENOENT' })
  t.equal(disk.total(), 0)
  t.strictSame(files.list(''), [])
  t.strictSame(readdirSync(folder.files), [])
})
