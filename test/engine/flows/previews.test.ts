import t from 'tap'
import { createPreviews, previewCounts } from '../../../src/engine/flows/previews.ts'

const picture = (codes: number[]) => ({ pixels: new Uint8Array(3), width: 1, height: 1, seed: 1, codes })

t.test('previews come close together at the start, and never after the last token', async t => {
  t.strictSame(previewCounts(0, 64), [])
  t.strictSame(previewCounts(1, 64), [16])
  t.strictSame(previewCounts(3, 64), [4, 16, 36])
  for (const patches of [4, 64, 256]) {
    for (const previews of [1, 2, 3, 4]) {
      const counts = previewCounts(previews, patches)
      t.equal(counts.length, previews)
      t.ok(counts.every(count => count >= 1 && count < patches), `${previews} of ${patches}`)
    }
  }
})

t.test('each is painted once, of the tokens so far, and told in order', async t => {
  const told: number[][] = []
  let finishFirst = () => {}
  const first = new Promise<void>(resolve => {
    finishFirst = resolve
  })
  const paint = async (codes: number[]) => {
    if (codes.length === 2) await first // it takes longer than the second
    return picture(codes)
  }
  const previews = createPreviews([2, 3], paint, ({ codes }) => told.push(codes))
  for (const codes of [[7], [7, 8], [7, 8], [7, 8, 9], [7, 8, 9, 10]]) previews.after(codes)
  finishFirst()
  await previews.all()
  t.strictSame(told, [
    [7, 8],
    [7, 8, 9]
  ])
})

t.test('one that cannot be painted is told to whoever waits', async t => {
  const failing = createPreviews([1], async () => { throw new Error('no paint') }, () => {})
  failing.after([7])
  await t.rejects(failing.all(), { message: 'no paint' })
})
