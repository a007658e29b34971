/** A picture to codes. */
import type { TokenizeResult, Work } from '../../pipe/work.ts'
import type { Ticket } from '../ticket.ts'
import type { Stations } from './flow.ts'

export async function tokenize (
  ticket: Ticket,
  { picture }: Extract<Work, { task: 'tokenize' }>,
  { encode }: Stations
): Promise<TokenizeResult> {
  const { codes, keepMask, keepProbabilities, familiarity } = await encode(ticket, picture, 'codes')
  return {
    codes,
    keepMask,
    keepProbabilities: Array.from(keepProbabilities),
    ...(familiarity !== undefined && { familiarity })
  }
}
