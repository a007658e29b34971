/** Which flow a request takes. */
import type { PaintResult, TextResult, TokenizeResult, Work } from '../../pipe/work.ts'
import type { Ticket } from '../ticket.ts'
import { detokenize } from './detokenize.ts'
import type { Stations } from './flow.ts'
import { generate } from './generate.ts'
import { text } from './text.ts'
import { tokenize } from './tokenize.ts'

export function startFlow (
  ticket: Ticket,
  work: Work,
  stations: Stations
): Promise<TokenizeResult | TextResult | PaintResult> {
  switch (work.task) {
    case 'tokenize':
      return tokenize(ticket, work, stations)
    case 'text':
      return text(ticket, work, stations)
    case 'generate':
      return generate(ticket, work, stations)
    case 'detokenize':
      return detokenize(ticket, work, stations)
  }
}
