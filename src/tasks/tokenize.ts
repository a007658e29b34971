/** A picture becomes a variable number of visual tokens. */
import { dimPatches } from '../codecs/image.ts'
import { invalidField } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { TokenizeRequest, TokenizeResponse } from '../schemas/tokenize.ts'
import { tellFamiliarity } from './familiarity.ts'
import { withModel, type Job } from './job.ts'
import { checkWork, holdPicture, pictureOf, readPicture, tellRef } from './picture.ts'
import { drawSeed } from './seed.ts'
import { selectionOptions } from './selection.ts'

export async function tokenize (job: Job, request: TokenizeRequest): Promise<TokenizeResponse> {
  return (await tokenizeFile(job, request)).answer
}

/** The answer, and the file where the picture was not given by reference. */
async function tokenizeFile (
  job: Job,
  request: TokenizeRequest,
  { isDrawn = false } = {}
): Promise<{ answer: TokenizeResponse; bytes?: Uint8Array }> {
  const { seed = drawSeed() } = request
  return withModel(job, request, async ({ manifest, run, admit }) => {
    const planned = planTokenize(job, manifest, request, seed)
    if (isDrawn && 'encoding' in planned.picture) throw withoutFile()
    admit(planned)
    const { picture: file } = planned
    const { selection } = file
    const held = await holdPicture(job, file, 0)
    const picture = await readPicture(job, manifest, held, { isReadAgain: isDrawn })
    const result = await run({ task: 'tokenize', picture })
    const { codes, keepMask, keepProbabilities } = result
    const answer = {
      model: manifest.name,
      visual_tokens: codes,
      count: codes.length,
      grid: manifest.image.grid,
      keep_mask: keepMask,
      keep_probabilities: keepProbabilities,
      ...(selection.rule === 'sample' && { seed }),
      ...tellFamiliarity(manifest, result),
      ...tellRef(job, manifest, picture, result),
      usage: { visual_tokens: codes.length, patches: keepMask.length }
    }
    return { answer, ...('bytes' in held && { bytes: held.bytes }) }
  })
}

/** The work of a request, its picture not read yet. Throws all that can be refused before. */
export function planTokenize (job: Job, manifest: Manifest, request: TokenizeRequest, seed: number) {
  const selection = selectionOptions(manifest, request, seed)
  const work = { task: 'tokenize' as const, picture: pictureOf(job, manifest, request.image, '/image', selection) }
  checkWork(job, manifest, work)
  return work
}

/**
 * The picture of a request with the patches dimmed that its answer drops, as PNG. Of a picture by reference there are
 * no pixels to draw on. The seed is there where the patches were drawn by one.
 */
export async function drawKeptPatches (job: Job, request: TokenizeRequest): Promise<{ png: Buffer; seed?: number }> {
  const { answer, bytes } = await tokenizeFile(job, request, { isDrawn: true })
  if (bytes === undefined) throw withoutFile()
  const { keep_mask: keepMask, grid, seed } = answer
  const png = await dimPatches(bytes, { keepMask, grid }, job.limits, job.signal)
  return { png, ...(seed !== undefined && { seed }) }
}

function withoutFile () {
  return invalidField('/image', 'must be the picture itself where the answer is a picture')
}
