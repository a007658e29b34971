/** Codes to pixels: one paint step for the pictures that can share a batch. */
import type { PixelDecoder } from '../../graphs/pixel-decoder.ts'
import type { PixelDecoderShape } from '../../package/pixel-decoder.ts'
import type { PaintedPicture, Painting } from '../../pipe/work.ts'
import { createPaintJob, nextPaintJobs, paintStep, picturesAtOnce, type PaintJob } from './paint-job.ts'
import type { Ticket } from '../ticket.ts'
import { createQueue, ticketsOf, type Entry, type Station, type Unit } from './queue.ts'

/** `sample` is the picture's number within its request, for telling its steps; those of previews are not told. */
export type Paint = (
  ticket: Ticket,
  codes: number[],
  painting: Painting,
  seed: number,
  sample?: number
) => Promise<PaintedPicture>

export function createPaint (
  decoder: PixelDecoder | undefined,
  shape: PixelDecoderShape | undefined
): Station & { paint: Paint } {
  const queue = createQueue<PaintJob & { sample: number | undefined }, PaintedPicture>()
  return { kind: 'paint', waiting, atOnce: picturesAtOnce, next, leave: queue.leave, paint }

  async function paint (ticket: Ticket, codes: number[], painting: Painting, seed: number, sample?: number) {
    if (!shape) throw new Error('the package does not paint')
    return queue.enter(ticket, { ...createPaintJob(codes, painting, seed, shape), sample })
  }

  /** Those that are fresh are painted first, of bulk and of all else each. */
  function waiting (): Ticket[] {
    const rank = ({ ticket, input }: Entry<PaintJob, PaintedPicture>) =>
      2 * Number(ticket.isBulk) + Number(input.condition !== undefined)
    return queue.entries().toSorted((a, b) => rank(a) - rank(b)).map(({ ticket }) => ticket)
  }

  function next (onlyBulk = false): Unit | undefined {
    const jobs = nextPaintJobs(queue.alike(onlyBulk).map(({ input }) => input))
    if (jobs.length === 0 || !decoder) return
    const entries = queue.entries().filter(({ input }) => jobs.includes(input))
    return {
      kind: 'paint',
      tickets: ticketsOf(entries),
      rows: entries.length,
      async run () {
        await paintStep(jobs, decoder)
        return () => {
          for (const entry of entries) {
            const { result, seed, codes, sample, step, steps } = entry.input
            if (step > 0 && sample !== undefined) entry.ticket.tell({ kind: 'step', sample, step, of: steps })
            if (result !== undefined) queue.settle(entry, { ...result, seed, codes })
          }
        }
      }
    }
  }
}
