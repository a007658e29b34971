/** One request and what became of it, as its client sees it. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'

/** What is sent. `leaveMs`: the client goes away after so long. `text` goes over a bare connection instead. */
export type Sent = {
  kind: string
  path: string
  type: string
  body: Uint8Array
  leaveMs?: number
  text?: string
  /** Statuses that it may be answered with, beside those of a busy server. */
  may: number[]
  /** Answers of one name have the same content. */
  same?: string
}

/** `lost`: the connection broke although the client stayed. `broken`: a stream without exactly one end, at its end. */
export type Outcome =
  | { is: 'answered'; status: number; body: string; isStream: boolean }
  | { is: 'left' }
  | { is: 'broken'; body: string }
  | { is: 'lost'; reason: string }

export type Sender = ReturnType<typeof createSender>

/** A client with an address of its own on the loopback network. */
export function createSender (port: number, address: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const where = { host: '127.0.0.1', port, localAddress: address }
  return {
    send: (sent: Sent): Promise<Outcome> => (sent.text === undefined ? ask(sent) : write(sent.text, sent.leaveMs)),
    close: () => agent.destroy()
  }

  function ask ({ path, type, body, leaveMs }: Sent): Promise<Outcome> {
    return new Promise(resolve => {
      let timer: NodeJS.Timeout | undefined
      const end = (outcome: Outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      }
      const headers = { 'content-type': type, 'content-length': body.length }
      const sending = request({ ...where, agent, method: 'POST', path, headers }, response => {
        const parts: Buffer[] = []
        response.on('data', part => parts.push(part))
        response.on('error', ({ message }) => end({ is: 'lost', reason: message }))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false
          if (isStream && !endsOnce(text)) return end({ is: 'broken', body: text })
          end({ is: 'answered', status: response.statusCode ?? 0, body: text, isStream })
        })
      })
      sending.on('error', ({ message }) => end({ is: 'lost', reason: message }))
      if (leaveMs !== undefined) {
        timer = setTimeout(() => {
          end({ is: 'left' })
          sending.destroy()
        }, leaveMs)
      }
      sending.end(body)
    })
  }

  /** Whatever bytes, over a connection that is closed by the server, or left. */
  function write (text: string, leaveMs = 2000): Promise<Outcome> {
    return new Promise(resolve => {
      const socket = connect(where)
      let body = ''
      const timer = setTimeout(() => {
        resolve({ is: 'left' })
        socket.destroy()
      }, leaveMs)
      socket.on('data', part => { body += part })
      socket.on('error', () => {})
      socket.on('close', () => {
        clearTimeout(timer)
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(body)?.[1])
        resolve(status ? { is: 'answered', status, body, isStream: false } : { is: 'left' })
      })
      socket.write(text)
    })
  }
}

/** Whether a stream has exactly one `done` or `error`, as its last event. */
export function endsOnce (stream: string): boolean {
  const names = [...stream.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)
  const isEnd = (name: string | undefined) => name === 'done' || name === 'error'
  return names.filter(isEnd).length === 1 && isEnd(names.at(-1)) && stream.endsWith('\n\n')
}
