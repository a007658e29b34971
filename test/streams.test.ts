/** Streams whose readers stop, leave or are slow: one end each, and nothing of them stays. `STREAMS` is how many. */
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { answerWork, buildTestApp } from './helper.ts'

t.setTimeout(600_000)

const streams = Number(process.env.STREAMS ?? 1000)
const steps = Array.from({ length: 200 }, (_, i) => ({ kind: 'step' as const, sample: 0, step: i + 1, of: 200 }))
const body = JSON.stringify({ prompt: 'x', stream: true })
const head = 'POST /generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: '
const request = `${head}${body.length}\r\n\r\n${body}`

t.test(`${streams} streams, of readers of each kind`, async t => {
  const app = await buildTestApp(t, {
    async submit (work, options) {
      for (const step of steps) {
        if (step.step % 50 === 0) await pause(2)
        options.signal?.throwIfAborted()
        options.onPart?.(step)
      }
      return answerWork(work, options)
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  /** What the reader has in the end: all of it, or what came before it left. */
  async function read (kind: 'reads' | 'is slow' | 'stops and goes on' | 'leaves'): Promise<string> {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    let text = ''
    const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
    socket.on('data', async part => {
      text += part
      if (kind === 'leaves') return socket.destroy()
      if (kind === 'reads') return
      socket.pause()
      await pause(kind === 'is slow' ? 1 : 30)
      socket.resume()
    })
    socket.write(request)
    await closed
    return text
  }

  const kinds = ['reads', 'is slow', 'stops and goes on', 'leaves'] as const
  const texts = await Promise.all(Array.from({ length: streams }, (_, i) => read(kinds[i % kinds.length] ?? 'reads')))
  for (const [i, text] of texts.entries()) {
    const ends = text.match(/^event: (done|error)$/gm)?.length ?? 0
    if (kinds[i % kinds.length] === 'leaves' ? ends > 1 : ends !== 1) t.fail(`${kinds[i % kinds.length]}: ${ends} ends`)
  }
  while (app.seen.loans > 0) await pause(5)
  t.match(await app.metrics.text(), /^lavit_requests_in_flight 0$/m)
  const connections = await new Promise<number>(resolve => app.server.getConnections((_error, count) => resolve(count)))
  t.equal(connections, 0)
  t.equal(app.seen.works.length, streams)
})
