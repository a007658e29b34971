/** Codes to a picture, without the language model. */
import type { PaintResult, Work } from '../../pipe/work.ts'
import type { Ticket } from '../ticket.ts'
import type { Stations } from './flow.ts'

export async function detokenize (
  ticket: Ticket,
  { codes, painting }: Extract<Work, { task: 'detokenize' }>,
  { paint }: Stations
): Promise<PaintResult> {
  return { pictures: [await paint(ticket, codes, painting, painting.seed, 0)], visualTokens: 0, promptTokens: 0 }
}
