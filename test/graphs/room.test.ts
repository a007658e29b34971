import t from 'tap'
import { createRoom } from '../../src/graphs/room.ts'

t.test('pieces of every length lie in the same memory', async t => {
  const room = createRoom()
  t.equal(room(5).length, 5)
  const longest = room(9)
  longest.fill(3)
  t.strictSame([...room(4)], [3, 3, 3, 3])
  t.equal(room(9).buffer, longest.buffer, 'nothing is made for it')
  t.equal(room(100).length, 100)
})
