/** A picture becomes a variable number of visual tokens. */
import { dimPatches } from '../codecs/image.ts'
import { invalidField } from '../errors.ts'
import type { TokenizeRequest, TokenizeResponse } from '../schemas/tokenize.ts'
import { tellFamiliarity } from './familiarity.ts'
import { withModel, type Job } from './job.ts'
import { checkWork, pictureBytes, pictureOf, readPicture, selectionOptions, tellRef } from './picture.ts'
import { drawSeed } from './seed.ts'

export async function tokenize (job: Job, request: TokenizeRequest): Promise<TokenizeResponse> {
  const { image, seed = drawSeed() } = request
  return withModel(job, request, async ({ manifest, run }) => {
    const selection = selectionOptions(manifest, request, seed)
    const file = pictureOf(job, manifest, image, '/image', selection)
    checkWork(job, manifest, { task: 'tokenize', picture: file })
    const picture = await readPicture(job, manifest, file)
    const result = await run({ task: 'tokenize', picture })
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
      ...tellRef(job, manifest, picture, result),
      usage: { visual_tokens: codes.length, patches: keepMask.length }
    }
  })
}

/** The picture of a request with the patches dimmed that its answer drops, as PNG. */
export async function drawKeptPatches (job: Job, request: TokenizeRequest): Promise<Buffer> {
  const { image } = request
  if (typeof image !== 'string') {
    throw invalidField('/image', 'must be the picture itself where the answer is a picture')
  }
  const { keep_mask: keepMask, grid } = await tokenize(job, request)
  return await dimPatches(pictureBytes(job, image, '/image'), { keepMask, grid }, job.limits, job.signal)
}
