/** The lines of a batch whose folder another server takes meanwhile. */
import { join } from 'node:path'
import t from 'tap'
import { createGate } from '../../src/batches/gate.ts'
import { openJournal } from '../../src/batches/journal.ts'
import { workLines } from '../../src/batches/work.ts'

t.test('what is done after the folder was lost is not written', async t => {
  const lines = Array.from({ length: 5 }, (_, i) => ({ custom_id: `${i}`, method: 'POST', url: '/caption', body: {} }))
  const folder = t.testdir({ input: lines.map(line => JSON.stringify(line) + '\n').join('') })
  const journal = await openJournal(join(folder, 'done'))
  t.teardown(() => journal.close())
  await workLines({
    input: join(folder, 'input'),
    limits: { endpoint: '/caption', mostLineBytes: 1000 },
    journal,
    room: createGate(1e6),
    ahead: 2,
    work: async () => ({ isGood: true, text: '{}' }),
    onStopped: async () => 'end',
    onRow: () => {},
    isHeld: () => journal.rows() < 2,
    stop: new AbortController().signal
  })
  t.equal(journal.rows(), 2)
})
