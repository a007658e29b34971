/** The bare engine as a contestant: no HTTP, no upload, no decoding; a request goes to the process with least to do. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { engineShare } from '../../engine.ts'
import type { Contestant } from '../../rounds.ts'
import type { Answer, Call } from '../../target.ts'
import type { Order, Report } from './process.ts'

type Engine = {
  waiting: Map<number, (answer: Answer) => void> // for what runs, by id
  send: (order: Order) => void
  stop: () => Promise<void>
}

/** As many engines and threads as the server has by the same variables. */
export async function startEngines (name: string): Promise<Contestant> {
  const share = engineShare()
  const engines = await Promise.all(Array.from({ length: share.engines }, () => startEngine(share.threads)))
  const numbers = new Map<Call, number>()
  let lastId = 0
  return {
    name,
    url: '',
    jobs: ['greedy', 'caption'],
    async ask (call) {
      const number = numbers.get(call) ?? numbers.size
      if (!numbers.has(call)) {
        numbers.set(call, number)
        for (const engine of engines) engine.send({ kind: 'learn', number, ...optionsOf(call) })
      }
      const engine = engines.reduce((idlest, each) => (each.waiting.size < idlest.waiting.size ? each : idlest))
      return new Promise(resolve => {
        const id = ++lastId
        engine.waiting.set(id, resolve)
        engine.send({ kind: 'run', number, id })
      })
    },
    get: async () => ({ status: 404, body: '', headers: {} }),
    async stop () {
      for (const engine of engines) await engine.stop()
    }
  }
}

function optionsOf ({ path, body }: Call) {
  const query = new URL(path, 'http://localhost').searchParams
  const kept = query.get('max_visual_tokens')
  return { picture: body, beams: Number(query.get('num_beams') ?? 2), kept: kept === null ? undefined : Number(kept) }
}

async function startEngine (threads: number): Promise<Engine> {
  const child = fork(new URL('./process.ts', import.meta.url), [], {
    env: { ...process.env, THREADS: String(threads) },
    execArgv: process.execArgv,
    serialization: 'advanced'
  })
  const waiting: Engine['waiting'] = new Map()
  const isReady = new Promise<void>((resolve, reject) => {
    child.on('message', ({ id, text }: Report) => {
      if (id === 0) resolve()
      const body = JSON.stringify({ captions: [{ text }] })
      waiting.get(id)?.({ status: text === undefined ? 500 : 200, body, headers: {} })
      waiting.delete(id)
    })
    child.on('exit', () => reject(new Error('the engine ended before it was ready')))
  })
  await isReady
  return {
    waiting,
    send: order => child.send(order),
    async stop () {
      child.disconnect()
      await once(child, 'exit')
    }
  }
}
