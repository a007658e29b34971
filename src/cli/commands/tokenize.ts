/** lavit tokenize: the visual tokens of each picture. */
import { answers } from '../answers.ts'
import { wrongUsage } from '../endings.ts'
import { jobs } from '../jobs.ts'
import { checkOutFile, writeOutFile } from '../out-file.ts'
import { askAboutEach } from '../pass.ts'
import { findPictures } from '../pictures.ts'
import type { Session } from '../session.ts'

/** Where `overlay` names a file, the picture with its dropped patches dimmed is written there, a PNG. */
export async function tokenize (
  session: Session,
  words: string[],
  fields: Record<string, unknown>,
  overlay: string | undefined
) {
  if (overlay !== undefined) checkOutFile('--overlay', overlay)
  const pictures = await findPictures(words, session.io)
  if (overlay !== undefined && pictures.length > 1) throw wrongUsage('--overlay takes one picture')
  const { path } = jobs.tokenize
  const request = { path, body: fields, read: answers.tokenize }
  return askAboutEach(session, pictures, request, async ({ visual_tokens: tokens, seed }, asked) => {
    if (overlay !== undefined) {
      const body = { ...asked, ...(seed !== undefined && { seed }) }
      const { body: png } = await session.ask({ path, body, accept: 'image/png' })
      await writeOutFile('--overlay', overlay, png)
    }
    return [tokens.join(' ')]
  })
}
