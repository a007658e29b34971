/** Many clients that connect, send and leave: nothing of them stays. `CYCLES` says how many. */
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { answerWork, buildTestApp, png } from './helper.ts'

t.setTimeout(600_000)

const cycles = Number(process.env.CYCLES ?? 300)

t.test(`${cycles} cycles of connect, send and leave`, async t => {
  const app = await buildTestApp(t, {
    submit: (work, { signal }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve(answerWork(work, {})), 5)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(signal.reason)
        })
      })
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const head = (type: string, length: number) =>
    `POST /caption HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`
  const disposition = 'Content-Disposition: form-data'
  const picture = Buffer.concat([Buffer.from(head('image/png', png.length)), png])
  const texts = [
    picture,
    picture.subarray(0, picture.length - 10),
    Buffer.from(head('application/json', 10_000) + '{"image": "'),
    Buffer.from(`${head('multipart/form-data; boundary=b', 10_000)}--b\r\n${disposition}; name="image"\r\n\r\nabc`),
    Buffer.concat([picture, picture, picture]),
    Buffer.from('POST /cap')
  ]
  const gauge = async () => Number(/in_flight (\d+)/.exec(await app.metrics.text())?.[1])
  for (let i = 0; i < cycles; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.write(texts[i % texts.length]!)
    if (i % 3 > 0) await new Promise(resolve => setTimeout(resolve, (i % 5) * 2))
    socket.destroy()
  }
  while ((await gauge()) > 0) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(app.seen.loans, 0)
  const headers = { 'content-type': 'image/png' }
  const { statusCode } = await app.inject({ method: 'POST', url: '/caption', headers, payload: png })
  t.equal(statusCode, 200)
  const connections = await new Promise<number>(resolve => app.server.getConnections((_error, count) => resolve(count)))
  t.equal(connections, 0)
})
