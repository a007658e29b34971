/** A picture becomes a variable number of visual tokens. */
import { dimPatches } from '../codecs/image.ts'
import type { TokenizeRequest, TokenizeResponse } from '../schemas/tokenize.ts'
import { tellFamiliarity } from './familiarity.ts'
import { withModel, type Job } from './job.ts'
import { checkWork, pictureBytes, readPicture, selectionOptions } from './picture.ts'
import { drawSeed } from './seed.ts'

export async function tokenize (job: Job, request: TokenizeRequest): Promise<TokenizeResponse> {
  const { image, seed = drawSeed() } = request
  return withModel(job, request, async ({ manifest, run }) => {
    const selection = selectionOptions(manifest, request, seed)
    const picture = { bytes: pictureBytes(job, image, '/image'), selection }
    checkWork(job, manifest, { task: 'tokenize', picture })
    const result = await run({
      task: 'tokenize',
      picture: await readPicture(job, manifest, picture)
    })
    const { codes, keepMask, keepProbabilities } = result
    return {
      model: manifest.name,
      visual_tokens: codes,
      count: codes.length,
      grid: manifest.image.grid,
      keep_mask: keepMask,
      keep_probabilities: keepProbabilities,
      ...(selection.rule === 'sample' && { seed }),
      ...tellFamiliarity(manifest, result),
      usage: { visual_tokens: codes.length, patches: keepMask.length }
    }
  })
}

/** The picture of a request with the patches dimmed that its answer dropped, as PNG. */
export async function drawKeptPatches (
  job: Job,
  { image }: TokenizeRequest,
  { keep_mask: keepMask, grid }: TokenizeResponse
): Promise<Buffer> {
  return await dimPatches(pictureBytes(job, image, '/image'), { keepMask, grid }, job.limits, job.signal)
}
