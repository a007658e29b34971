/** lavit tokenize: the visual tokens of each picture. */
import { extname } from 'node:path'
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
  if (overlay !== undefined) checkOverlay(overlay)
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

/** Throws an Ending where no PNG can be written there. */
function checkOverlay (overlay: string) {
  if (overlay === '-') throw wrongUsage('--overlay - and the visual tokens both take stdout')
  checkOutFile('--overlay', overlay)
  const suffix = extname(overlay).toLowerCase()
  if (suffix.length > 1 && suffix !== '.png') throw wrongUsage(`--overlay: ${suffix} is not .png, and a PNG is written`)
}
