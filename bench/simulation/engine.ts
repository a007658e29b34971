/** One engine as it works: units one after the other, its stations in turn, rows that come and go between them. */
import type { Costs } from './costs.ts'

/** `prompt` and `words` count tokens. Times are seconds. */
export type Request = { arrived: number; prompt: number; words: number }

type Row = { request: Request; written: number }
type Unit = { seconds: number; finish: () => Request[] }

export type Engine = ReturnType<typeof createEngine>

export function createEngine (costs: Costs) {
  const toEncode: Request[] = []
  const toRead: Request[] = []
  let rows: Row[] = []
  let turn = 0

  return {
    accept: (request: Request) => toEncode.push(request),
    /** Requests that are not done. */
    held: () => toEncode.length + toRead.length + rows.length,
    begin
  }

  /** The next unit: its seconds, and what it does to the engine when it ends; `finish` gives what is done then. */
  function begin (): Unit | undefined {
    const stations = [encode, prefill, decode]
    for (let i = 0; i < stations.length; i++) {
      const unit = stations[(turn + i) % stations.length]?.()
      if (unit === undefined) continue
      turn += i + 1
      return unit
    }
  }

  function encode (): Unit | undefined {
    const batch = toEncode.splice(0, costs.picturesAtOnce)
    if (batch.length === 0) return
    return {
      seconds: costs.encode(batch.length),
      finish () {
        toRead.push(...batch)
        return []
      }
    }
  }

  function prefill (): Unit | undefined {
    const batch: Request[] = []
    let tokens = 0
    for (const request of toRead) {
      tokens += request.prompt
      if (batch.length === costs.slots - rows.length) break
      if (batch.length > 0 && tokens > costs.tokensAtOnce) break
      batch.push(request)
    }
    if (batch.length === 0) return
    toRead.splice(0, batch.length)
    return {
      seconds: costs.prefill(batch.map(({ prompt }) => prompt)),
      finish () {
        rows.push(...batch.map(request => ({ request, written: 1 })))
        return leave()
      }
    }
  }

  function decode (): Unit | undefined {
    if (rows.length === 0) return
    const places = rows.reduce((sum, { request, written }) => sum + request.prompt + written, 0)
    return {
      seconds: costs.decode(rows.length, places),
      finish () {
        for (const row of rows) row.written++
        return leave()
      }
    }
  }

  function leave (): Request[] {
    const done = rows.filter(({ request, written }) => written >= request.words)
    if (done.length > 0) rows = rows.filter(({ request, written }) => written < request.words)
    return done.map(({ request }) => request)
  }
}
