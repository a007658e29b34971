import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { dnsOf, internet } from '../../src/fetching/network.ts'

const types = { A: 1, AAAA: 28 }
const codes = { ok: 0, serverFailure: 2, noSuchName: 3 }

/** A name server (RFC 1035) that answers one address to each question of type A, or a code. */
async function startNameServer (t: Test, code: keyof typeof codes, address: number[] = []) {
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address: client }) => {
    let end = 12
    while (message[end] !== 0) end += (message[end] ?? 0) + 1
    const question = message.subarray(12, end + 5)
    const hasAnswer = message.readUInt16BE(end + 1) === types.A && address.length > 0
    const counts = [0, 1, 0, hasAnswer ? 1 : 0, 0, 0, 0, 0]
    const head = Buffer.from([message[0]!, message[1]!, 0x81, 0x80 | codes[code], ...counts])
    const answer = hasAnswer ? Buffer.from([0xc0, 12, 0, types.A, 0, 1, 0, 0, 0, 0, 0, 4, ...address]) : Buffer.alloc(0)
    socket.send(Buffer.concat([head, question, answer]), port, client)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return dnsOf([`127.0.0.1:${socket.address().port}`])
}

const { signal } = new AbortController()

t.test('names have the addresses that the name server tells, or none', async t => {
  const resolve = await startNameServer(t, 'ok', [10, 0, 0, 7])
  t.strictSame(await resolve('a.example', signal), ['10.0.0.7'])
  t.strictSame(await (await startNameServer(t, 'ok'))('a.example', signal), [])
  t.strictSame(await (await startNameServer(t, 'noSuchName'))('a.example', signal), [])
})

t.test('a name server that fails is told from a name that is not there', async t => {
  await t.rejects((await startNameServer(t, 'serverFailure'))('a.example', signal), { code: 'ESERVFAIL' })
})

t.test('asking ends with the signal', async t => {
  const controller = new AbortController()
  const asked = internet.resolve('a.example', controller.signal)
  controller.abort()
  await t.rejects(asked, { code: 'ECANCELLED' })
})
