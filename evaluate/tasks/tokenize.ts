/** Tokens: how many patches the selector keeps, over all pictures and by number of objects. */
import { readCaptions } from '../data/coco.ts'
import { readScenes } from '../data/scenes.ts'
import { mean, plain, type Figure } from '../metrics/bootstrap.ts'
import { askEach, base64, seedOf, type Outcome, type Run } from './run.ts'

type Answer = { visual_tokens: number[]; usage: { visual_tokens: number; patches: number } }

export async function evaluateTokens (run: Run): Promise<Outcome> {
  const { answered, failed } = await askEach(
    run,
    readCaptions(run.source, run.limit),
    '/tokenize',
    ({ file }, index) => ({ image: base64(file), seed: seedOf(run, index) }),
    ({ usage, visual_tokens: tokens }: Answer) => ({ kept: usage.visual_tokens, patches: usage.patches, tokens })
  )
  const scenes = readScenes(run.source)
  const records = answered.map(({ item: { id }, kept, patches, tokens }) => ({
    id,
    kept,
    patches,
    objects: scenes?.byImage.get(id)?.concepts.length,
    visual_tokens: tokens
  }))
  const kept = records.map(record => record.kept)
  const figures: Record<string, Figure> = {
    'patches kept': mean(kept, run.seed),
    'patches kept, least': plain(kept.length > 0 ? kept.reduce((a, b) => Math.min(a, b)) : null, kept.length),
    'patches kept, most': plain(kept.length > 0 ? kept.reduce((a, b) => Math.max(a, b)) : null, kept.length),
    'share of patches kept': mean(
      records.map(({ kept, patches }) => kept / patches),
      run.seed
    )
  }
  for (const objects of new Set(
    records
      .map(record => record.objects)
      .filter(count => count !== undefined)
      .sort((a, b) => a - b)
  )) {
    figures[`patches kept, ${objects} ${objects === 1 ? 'object' : 'objects'}`] = mean(
      records.filter(record => record.objects === objects).map(({ kept }) => kept),
      run.seed
    )
  }
  return { figures, records: [...records, ...failed] }
}
