import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { base64, buildTestApp, form, png } from '../helper.ts'

const mebibyte = 2 ** 20
const environment = { LAVIT_UPLOAD_MEMORY_MB: '4', LAVIT_MAX_UPLOAD_BYTES: '1000000', LAVIT_TRUST_PROXY: 'true' }

/** The app on a port, with a memory of 4 MiB, and requests to it byte by byte. */
async function start (t: Test, more: Parameters<typeof buildTestApp>[1] = {}) {
  const app = await buildTestApp(t, { ...more, environment: { ...environment, ...more.environment } })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const open = (client: string, ...lines: string[]) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(`POST /caption HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${client}\r\n${lines.join('\r\n')}\r\n\r\n`)
    t.teardown(() => socket.destroy())
    return socket
  }
  return Object.assign(app, { open })
}

async function answerTo (socket: Socket) {
  const [answer] = await once(socket, 'data')
  return String(answer)
}

async function chunk (socket: Socket, bytes: number, fill = 'a') {
  socket.write(`${bytes.toString(16)}\r\n${fill.repeat(bytes)}\r\n`)
  if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
}

const until = async (holds: () => Promise<boolean> | boolean) => {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 2))
}

t.test('a body that says its length is admitted or refused before a byte of it is sent', async t => {
  const { open, metrics } = await start(t)
  const said = (client: string, bytes: number) =>
    open(client, 'Content-Type: application/json', `Content-Length: ${bytes}`)
  const inFlight = async () => Number(/in_flight (\d+)/.exec(await metrics.text())?.[1])
  const first = said('1.1.1.1', 2 * mebibyte)
  await until(async () => (await inFlight()) === 1)
  const greedy = await answerTo(said('1.1.1.1', 2 * mebibyte))
  t.match(greedy, /^HTTP\/1\.1 429 /)
  t.match(greedy, /^retry-after: \d+\r$/m)
  t.match(greedy, /^ratelimit-policy: "content-bytes";q=3145728;qu="content-bytes"\r$/m)
  t.match(greedy, /"code":"queue_full"/)
  t.match(greedy, /This client has as many bytes/)
  const second = said('2.2.2.2', 2 * mebibyte)
  await until(async () => (await inFlight()) === 2)
  t.match(await answerTo(said('3.3.3.3', 100)), /^HTTP\/1\.1 429 [^]*The server holds as many bytes/)
  for (const socket of [first, second]) socket.destroy()
  await until(async () => (await inFlight()) === 0)
  const last = said('3.3.3.3', 2 * mebibyte)
  last.write(' '.repeat(2 * mebibyte))
  t.match(await answerTo(last), /^HTTP\/1\.1 4(00|13) /, 'and what has ended is given back')
})

t.test('a length beyond the limit is told as that, however much memory is taken: it can never be sent', async t => {
  const { open } = await start(t)
  for (const type of ['application/json', 'image/png', 'multipart/form-data; boundary=b']) {
    const socket = open('1.1.1.1', `Content-Type: ${type}`, 'Content-Length: 1700000000')
    t.match(await answerTo(socket), /^HTTP\/1\.1 413 [^]*too_large/, type)
  }
})

t.test('a body that does not say its length takes memory as it arrives', async t => {
  const types = ['application/json', 'image/png', 'multipart/form-data; boundary=b']
  for (const type of types) {
    t.test(type, async t => {
      const { open } = await start(t, { environment: { LAVIT_MAX_IMAGE_BYTES: '1000000' } })
      const begin = (client: string) => {
        const socket = open(client, `Content-Type: ${type}`, 'Transfer-Encoding: chunked')
        const head = type.startsWith('multipart') ? '--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n' : '"'
        socket.write(`${head.length.toString(16)}\r\n${head}\r\n`)
        return socket
      }
      const sockets = []
      for (const client of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4', '5.5.5.5']) {
        const socket = begin(client)
        const answer = answerTo(socket)
        answer.catch(() => {}) // of those that are left unanswered
        for (let i = 0; i < 12; i++) await chunk(socket, 80_000)
        sockets.push({ socket, answer })
      }
      t.match(await Promise.race(sockets.map(({ answer }) => answer)), /^HTTP\/1\.1 429 [^]*as many bytes/)
      for (const { socket } of sockets) socket.destroy()
    })
  }
})

t.test('a form has one limit for all that it holds, parts or not, and is refused as it arrives', async t => {
  const part = '\r\n--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
  for (const [name, between] of [['parts', part], ['before any part', '']] as const) {
    t.test(name, async t => {
      const { open, metrics } = await start(t)
      const socket = open('1.1.1.1', 'Content-Type: multipart/form-data; boundary=b', 'Transfer-Encoding: chunked')
      const answer = answerTo(socket)
      const state = { isAnswered: false }
      answer.then(() => { state.isAnswered = true }, () => {})
      let sent = 0
      while (!state.isAnswered && sent < 50 * mebibyte) {
        if (between) socket.write(`${between.length.toString(16)}\r\n${between}\r\n`)
        await chunk(socket, 100_000)
        sent += 100_000
        await new Promise(resolve => setImmediate(resolve))
      }
      t.match(await answer, /^HTTP\/1\.1 413 [^]*The body has more bytes than the limit of 2449600/)
      socket.destroy()
      await until(async () => /in_flight 0/.test(await metrics.text()))
    })
  }
})

t.test('bodies of every kind are read as before where there is room', async t => {
  const { open, seen } = await start(t)
  const bodies: [type: string, body: Buffer][] = [
    ['application/json', Buffer.from(JSON.stringify({ image: base64 }))],
    ['image/png', png],
    [form([]).headers['content-type'], form([['image', png]]).payload]
  ]
  for (const [type, body] of bodies) {
    for (const length of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
      const socket = open('1.1.1.1', `Content-Type: ${type}`, length, 'Connection: close')
      const isChunked = length.startsWith('T')
      if (isChunked) socket.write(`${body.length.toString(16)}\r\n`)
      socket.write(body)
      if (isChunked) socket.write('\r\n0\r\n\r\n')
      t.match(await answerTo(socket), /^HTTP\/1\.1 200 /, `${type} ${length}`)
    }
  }
  t.equal(seen.works.length, 6)
})

t.test('a client that leaves in the midst of its body gives the memory back', async t => {
  const { open, metrics } = await start(t)
  for (let i = 0; i < 20; i++) {
    const type = ['application/json', 'image/png', 'multipart/form-data; boundary=b'][i % 3]
    const socket = open('1.1.1.1', `Content-Type: ${type}`, 'Transfer-Encoding: chunked')
    await chunk(socket, 900_000)
    socket.destroy()
    await until(async () => /in_flight 0/.test(await metrics.text()))
  }
})

t.test('what comes of a form after it was refused takes no memory', async t => {
  const { open } = await start(t)
  const head = 'Content-Disposition: form-data; name="prompt"\r\nContent-Type: application/xml'
  const part = `--b\r\n${head}\r\n\r\n<a/>\r\n--b\r\n`
  for (let i = 0; i < 6; i++) {
    const socket = open('1.1.1.1', 'Content-Type: multipart/form-data; boundary=b', 'Transfer-Encoding: chunked')
    const answer = answerTo(socket)
    socket.write(`${part.length.toString(16)}\r\n${part}\r\n`)
    t.match(await answer, /^HTTP\/1\.1 422 /)
    for (let sent = 0; sent < mebibyte; sent += 65_536) await chunk(socket, 65_536)
    socket.destroy()
  }
  const next = open('1.1.1.1', 'Content-Type: application/json', `Content-Length: ${2 * mebibyte}`)
  next.write(' '.repeat(2 * mebibyte))
  t.match(await answerTo(next), /^HTTP\/1\.1 4(00|13) /, 'there is room for a large one')
})

t.test('a form that has ended is not waited for any longer, and one that stands still is', async t => {
  const app = await buildTestApp(t)
  const url = new URL(await app.listen({ port: 0 }))
  const { headers, payload } = form([['image', base64]])
  const type = headers['content-type']
  const send = async (head: string, ...parts: Buffer[]) => {
    const socket = connect(Number(url.port), url.hostname)
    t.teardown(() => socket.destroy())
    socket.write(`POST /caption HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${head}\r\n\r\n`)
    for (const [i, part] of parts.entries()) {
      if (i > 0) await new Promise(resolve => setTimeout(resolve, 3000))
      socket.write(part)
    }
    const [answer] = await once(socket, 'data')
    return String(answer)
  }
  const chunk = Buffer.concat([Buffer.from(`${payload.length.toString(16)}\r\n`), payload, Buffer.from('\r\n')])
  const middle = payload.length >> 1
  const [long, open, slow] = await Promise.all([
    send(`Content-Length: ${payload.length + 5}`, payload),
    send('Transfer-Encoding: chunked', chunk),
    send(`Content-Length: ${payload.length}`, payload.subarray(0, middle), payload.subarray(middle))
  ])
  t.match(long, /^HTTP\/1.1 400 [^]*5 bytes of its Content-Length did not come/)
  t.match(open, /^HTTP\/1.1 400 [^]*the end of its chunks did not come/)
  t.match(slow, /^HTTP\/1.1 200 /)
})
