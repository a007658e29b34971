/** A bare engine in a process of its own: it hears a request once, and then only its number. */
import { availableParallelism } from 'node:os'
import { captionWork, modelFolder, openBareEngine, readPixels } from '../../engine.ts'
import { createTextCodec } from '../../../src/codecs/text.ts'
import { readTokenizer } from '../../../src/package/package.ts'

type Works = ReturnType<typeof captionWork>

export type Order =
  | { kind: 'learn'; number: number; picture: Uint8Array; beams: number; kept: number | undefined }
  | { kind: 'run'; number: number; id: number }

/** `id` 0 stands for being ready; `text` is missing where the engine fails. */
export type Report = { id: number; text?: string }

const threads = Number(process.env.THREADS ?? availableParallelism())
const engine = await openBareEngine(threads)
const codec = createTextCodec(await readTokenizer(modelFolder, engine.manifest))
const works = new Map<number, Promise<Works>>()

process.on('message', (order: Order) => {
  if (order.kind === 'run') return run(order)
  const pixels = readPixels(order.picture, engine.manifest)
  works.set(order.number, pixels.then(pixels => captionWork(engine.manifest, { pixels }, order)))
})
process.on('disconnect', () => process.exit())
tell({ id: 0 })

async function run ({ number, id }: { number: number; id: number }) {
  const work = await works.get(number)
  const end = work && (await engine.run(work).catch(() => undefined))
  const text = end && 'sequences' in end.result ? codec.decode(end.result.sequences[0]?.ids ?? []) : undefined
  tell({ id, ...(text !== undefined && { text }) })
}

function tell (report: Report) {
  process.send?.(report)
}
