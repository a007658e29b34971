/** A picture to codes. */
import type { TokenizeResult, Work } from '../../pipe/work.ts'
import type { Ticket } from '../ticket.ts'
import { encodingOf, familiarityOf, type Stations } from './flow.ts'

export async function tokenize (
  ticket: Ticket,
  { picture }: Extract<Work, { task: 'tokenize' }>,
  { encode }: Stations
): Promise<TokenizeResult> {
  const seen = await encode(ticket, picture, 'codes')
  const { codes, keepMask, encoding } = seen
  return {
    codes,
    keepMask,
    keepProbabilities: Array.from(encoding.keepProbabilities),
    ...familiarityOf([seen]),
    ...encodingOf([picture], [seen])
  }
}
