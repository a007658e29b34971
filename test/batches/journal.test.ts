// covers: src/batches/lines.ts
/** What is done is there after whatever ended the process, and nothing that is half written. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openJournal, readRows } from '../../src/batches/journal.ts'
import { readLines } from '../../src/batches/lines.ts'

async function collect<Thing> (things: AsyncIterable<Thing>): Promise<Thing[]> {
  const all: Thing[] = []
  for await (const thing of things) all.push(thing)
  return all
}

t.test('rows are counted and read again, good ones and errors apart', async t => {
  const path = join(t.testdir(), 'done.jsonl')
  const journal = await openJournal(path)
  await journal.add({ isGood: true, text: '{"a":1}' })
  await journal.add({ isGood: false, text: '{"b":"é"}' })
  await journal.add({ isGood: true, text: '{"c":{}}' })
  await journal.sync()
  await journal.close()
  const again = await openJournal(path)
  t.strictSame(again.counts, { completed: 2, failed: 1 })
  t.equal(again.rows(), 3)
  await again.close()
  t.equal(Buffer.concat(await collect(readRows(path, true))).toString(), '{"a":1}\n{"c":{}}\n')
  t.equal(Buffer.concat(await collect(readRows(path, false))).toString(), '{"b":"é"}\n')
})

t.test('wherever a crash cuts it off, the whole rows before it stay and it goes on behind them', async t => {
  const rows = ['{"a":1}', '{"b":{"c":"}"}}', '{"d":4}']
  const path = join(t.testdir(), 'done.jsonl')
  const whole = rows.map(row => `+${row}\n`).join('')
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    const journal = await openJournal(path)
    const kept = whole.slice(0, length).split('\n').length - 1
    t.equal(journal.rows(), kept, `${length} bytes`)
    for (const text of rows.slice(kept)) await journal.add({ isGood: true, text })
    await journal.close()
    if (readFileSync(path, 'utf8') !== whole) t.fail(`cut off at ${length}`)
  }
})

t.test('what a disk lost behind the rows is cut off', async t => {
  const path = join(t.testdir({ done: '+{"a":1}\n' }), 'done')
  appendFileSync(path, Buffer.concat([Buffer.alloc(100), Buffer.from('\n+{"b":2}\n')]))
  const journal = await openJournal(path)
  t.equal(journal.rows(), 1)
  await journal.close()
  t.equal(readFileSync(path, 'utf8'), '+{"a":1}\n')
})

t.test('lines are told with their numbers, blank ones left out, long ones without their bytes', async t => {
  const long = 'x'.repeat(100_000)
  const path = join(t.testdir({ file: `a\r\n\n  \n${long}\nb\n${long}x\nlast` }), 'file')
  const lines = await collect(readLines(path, long.length))
  t.strictSame(lines.map(({ number, bytes }) => [number, bytes?.length]), [
    [1, 2], [4, 100_000], [5, 1], [6, undefined], [7, 4]
  ])
  t.strictSame(await collect(readLines(join(t.testdir({ none: '' }), 'none'), 1)), [])
})
