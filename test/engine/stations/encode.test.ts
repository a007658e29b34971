import t from 'tap'
import { createEncode } from '../../../src/engine/stations/encode.ts'
import { createTicket } from '../../../src/engine/ticket.ts'
import type { Picture } from '../../../src/pipe/work.ts'
import { fakeGraphs, manifest } from '../fixtures/fake-model.ts'
import { picture } from '../fixtures/works.ts'

/** How the language model sees a picture, and how often rows were merged so far. */
function createEye () {
  const { visualTokenizer } = fakeGraphs()
  let merges = 0
  const toEmbeddings: typeof visualTokenizer.toEmbeddings = async selected => {
    merges++
    return visualTokenizer.toEmbeddings(selected)
  }
  const station = createEncode({ ...visualTokenizer, toEmbeddings }, manifest)
  const ticket = createTicket({ id: 1, charge: 1, client: '', isBulk: false, turn: 0, sentAt: 0 }, () => {})
  return async (asked: Picture) => {
    const seen = station.encode(ticket, asked, 'features')
    const settle = await station.next()?.run()
    settle?.()
    return { ...(await seen), merges }
  }
}

t.test('a picture that is known is merged again only where other patches are kept', async t => {
  const see = createEye()
  const { selection, ...pixels } = picture()
  const first = await see({ ...pixels, selection })
  const again = await see({ encoding: first.encoding, selection })
  t.strictSame({ ...again, encoding: first.encoding }, first)
  t.equal(again.merges, 1)
  const more = await see({ encoding: first.encoding, selection: { ...selection, keepThreshold: 0 } })
  t.not(more.embeddings.length, first.embeddings.length)
  t.strictSame(more.embeddings, (await see({ ...pixels, selection: { ...selection, keepThreshold: 0 } })).embeddings)
  t.equal(more.merges, 2)
})
