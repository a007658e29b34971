/** What becomes of a client that goes on sending after it was refused. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { discardRest } from '../../src/plugins/rest.ts'

const mostBytes = 100_000
const [never, soon] = [600_000, 20] // milliseconds

t.test('who is silent after the refusal has the answer, and is cut off', async t => {
  for (const length of [mostBytes, 1.7e9]) {
    const { socket, answer } = await refuse(t, `Content-Length: ${length}`, soon)
    await once(socket, 'close')
    t.match(answer(), /^HTTP\/1\.1 413 [^]*no$/, `${length} bytes`)
  }
})

t.test('who sends all that was said, within the bytes, keeps the connection', async t => {
  const { socket, answer } = await refuse(t, `Content-Length: ${mostBytes}`, never)
  for (let i = 0; i < 10; i++) {
    socket.write(Buffer.alloc(mostBytes / 10))
    await new Promise(resolve => setImmediate(resolve))
  }
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  t.equal(answer().match(/413/g)?.length, 2)
  t.notOk(socket.destroyed)
})

t.test('who sends more than the bytes, or drips a length beyond them, is cut off', async t => {
  const chunked = await refuse(t, 'Transfer-Encoding: chunked', never)
  while (!chunked.socket.destroyed) await write(chunked.socket, `2710\r\n${'a'.repeat(10_000)}\r\n`)
  t.match(chunked.answer(), /^HTTP\/1\.1 413 /)
  const dripping = await refuse(t, 'Content-Length: 1700000000', soon)
  while (!dripping.socket.destroyed) {
    dripping.socket.write('a')
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  t.match(dripping.answer(), /^HTTP\/1\.1 413 /)
})

/** A request whose body is not sent yet, and has been refused. */
async function refuse (t: Test, header: string, waitMs: number) {
  const server = createServer((request, response) => {
    response.writeHead(413, { 'content-length': 2 }).end('no')
    discardRest(request, mostBytes, waitMs)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const socket = connect(typeof address === 'object' ? address?.port ?? 0 : 0, '127.0.0.1').on('error', () => {})
  t.teardown(() => {
    socket.destroy()
    server.close()
  })
  let text = ''
  socket.on('data', part => { text += part })
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
  await once(socket, 'data')
  return { socket, answer: () => text }
}

async function write (socket: ReturnType<typeof connect>, text: string) {
  socket.write(text)
  if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
  await new Promise(resolve => setImmediate(resolve))
}
