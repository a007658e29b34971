/** What captions and answers share: a picture and a text go in, sequences of text come out. */
import type { Segment, Work } from '../pipe/work.ts'
import { invalidField } from '../errors.ts'
import type { TextDefaults } from '../package/defaults.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { Tell } from '../schemas/events.ts'
import type { CaptionRequest, VqaRequest } from '../schemas/understanding.ts'
import { createDeltas } from './deltas.ts'
import { tellFamiliarity } from './familiarity.ts'
import { withModel, type Job, type LentModel } from './job.ts'
import { checkWork, pictureOf, readSegments, tellRef, visualTokenIds, type PictureFile } from './picture.ts'
import { postprocess } from './postprocess.ts'
import { checkLength, checkPromptCharacters } from './prompt.ts'
import { drawSeed } from './seed.ts'
import { selectionOptions } from './selection.ts'

type Options = Omit<CaptionRequest, 'prompt'> | Omit<VqaRequest, 'question'>

/**
 * What is asked about a picture: `layOut` makes the text after it, of what was `sent`, whose characters are counted as
 * they came.
 */
export type Asked = {
  task: 'caption' | 'vqa'
  options: Options
  sent: string
  layOut: (manifest: Manifest) => string
}

/** `tell` hears what there is so far. */
export async function readPictureAsText (job: Job, asked: Asked, tell?: Tell) {
  const { task, options: request } = asked
  const { visual_tokens: codes, seed = drawSeed() } = request
  checkAsked(job, asked)

  return withModel(job, request, async ({ manifest, text, run, admit }) => {
    const { work: planned, promptTokens } = planText(job, { manifest, text }, asked, seed)
    admit(planned)
    const rule = request.postprocess ?? manifest.tasks[task].postprocess
    const isAsDrawn = planned.numBeams === 1 && planned.n === 1 && rule === 'none'
    const deltas = tell && createDeltas(tell, text, isAsDrawn)
    const work = { ...planned, segments: await readSegments(job, manifest, planned.segments) }
    const result = await run(work, { onPart: deltas?.onPart, task })
    const { sequences, visualTokens } = result
    const texts = await Promise.all(
      sequences.map(async sequence => ({
        text: await postprocess(text.decode(sequence.ids), rule),
        log_probability: sequence.logProbability,
        ...(sequence.score !== undefined && { score: sequence.score }),
        ...(sequence.seed !== undefined && { seed: sequence.seed }),
        finish_reason: sequence.finishReason
      }))
    )
    deltas?.finish(texts.map(({ text }) => text))
    return {
      model: manifest.name,
      texts,
      common: {
        ...(codes && { approximate: true as const }),
        seed,
        ...tellFamiliarity(manifest, result),
        ...work.segments.reduce(
          (told, segment) => (segment.kind === 'ids' ? told : tellRef(job, manifest, segment.picture, result)),
          {}
        ),
        usage: {
          visual_tokens: codes?.length ?? visualTokens,
          prompt_tokens: promptTokens,
          completion_tokens: sequences.reduce((sum, sequence) => sum + sequence.ids.length, 0)
        }
      }
    }
  })
}

/** What is refused without knowing the model. */
export function checkAsked ({ limits }: Job, { sent, options: { image, visual_tokens: codes } }: Asked): void {
  if ((image === undefined) === (codes === undefined)) {
    throw invalidField('/image', 'or visual_tokens must be given, and not both')
  }
  checkPromptCharacters([sent], limits)
}

/** The work of a request, its picture not read yet. Throws all else that can be refused before. */
export function planText (
  job: Job,
  { manifest, text }: Pick<LentModel, 'manifest' | 'text'>,
  { task, options: request, layOut }: Asked,
  seed: number
) {
  const { ids, tasks } = manifest
  const { image, visual_tokens: codes } = request
  const promptIds = text.encode(layOut(manifest))
  const options = textOptions(request, tasks[task], seed)
  checkLength(manifest, promptIds.length + 2 + (codes?.length ?? patchesOf(manifest)), options.sampling.maxTokens)
  const selection = selectionOptions(manifest, request, seed)
  const seen: Segment<PictureFile> =
    image === undefined
      ? { kind: 'ids', ids: visualTokenIds(manifest, codes ?? [], '/visual_tokens') }
      : { kind: 'features', picture: pictureOf(job, manifest, image, '/image', selection) }
  const segments: Segment<PictureFile>[] = [
    { kind: 'ids', ids: [ids.image_start] },
    seen,
    { kind: 'ids', ids: [ids.image_end, ...promptIds] }
  ]
  const work = { task: 'text' as const, segments, ...options }
  checkWork(job, manifest, work)
  return { work, promptTokens: promptIds.length }
}

/**
 * The request's options over the model's defaults. Asking for a draw (temperature above 0) without a number of beams
 * means no beam search; asking for several texts otherwise widens the search, since each beam gives one.
 */
export function textOptions (
  request: Options,
  defaults: TextDefaults,
  seed: number
): Omit<Extract<Work, { task: 'text' }>, 'task' | 'segments'> {
  const { n = 1, temperature } = request
  const numBeams = request.num_beams ?? (temperature ? 1 : Math.max(defaults.num_beams, n))
  const maxTokens = request.max_tokens ?? defaults.max_tokens
  const minTokens = request.min_tokens ?? Math.min(defaults.min_tokens, maxTokens)
  if (minTokens > maxTokens) throw invalidField('/min_tokens', `must be <= max_tokens (${maxTokens})`)
  if (numBeams > 1 && temperature) throw invalidField('/temperature', 'must be 0 where num_beams is above 1')
  if (numBeams > 1 && n > numBeams) throw invalidField('/n', `must be <= num_beams (${numBeams})`)
  const drawn = temperature ?? defaults.temperature
  if (numBeams === 1 && n > 1 && drawn === 0) {
    throw invalidField('/n', 'must be 1 where temperature is 0 and num_beams is 1')
  }
  return {
    sampling: {
      maxTokens,
      minTokens,
      temperature: numBeams > 1 ? 0 : drawn,
      topP: request.top_p ?? defaults.top_p,
      topK: request.top_k ?? defaults.top_k,
      repetitionPenalty: request.repetition_penalty ?? defaults.repetition_penalty,
      seed
    },
    numBeams,
    lengthPenalty: request.length_penalty ?? defaults.length_penalty,
    earlyStopping: request.early_stopping ?? defaults.early_stopping,
    n
  }
}
