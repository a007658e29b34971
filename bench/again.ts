/** A second question about a picture, by its reference, beside the first one, which sends it. */
import { makePictures } from './pictures.ts'
import { table, tellSpread } from './report.ts'
import { startServer } from './servers.ts'
import type { Call } from './target.ts'

const question = 'how many objects are there?'
const count = 60
const keptMiB = 64

/** The section of the report. */
export async function measureAgain (): Promise<string> {
  const target = await startServer(keptMiB)
  const first: number[] = []
  const second: number[] = []
  try {
    for (const picture of await makePictures(count)) {
      const path = `/vqa?${new URLSearchParams({ question, seed: '1' })}`
      const sent = await timed({ path, type: 'image/png', body: picture })
      const { image_ref: ref } = JSON.parse(sent.body)
      const body = Buffer.from(JSON.stringify({ image: { ref }, question, seed: 1 }))
      const named = await timed({ path: '/vqa', type: 'application/json', body })
      first.push(sent.ms)
      second.push(named.ms)
    }
  } finally {
    await target.stop()
  }
  const times = first.map((ms, i) => ms / (second[i] ?? NaN))
  return [
    `\`/vqa\` about ${count} pictures, one client: the picture sent, and the same question by its \`image_ref\`:`,
    table([{ 'sent ms': tellSpread(first), 'by name ms': tellSpread(second), times: tellSpread(times) }])
  ].join('\n\n')

  async function timed (call: Call) {
    const from = performance.now()
    const { status, body } = await target.ask(call)
    if (status !== 200) throw new Error(`POST ${call.path} answers ${status}: ${body}`)
    return { body, ms: performance.now() - from }
  }
}
