/** What a job would come to, from what is known of the model: nothing is decoded, and no engine asked. */
import { patchesOf } from '../package/patches.ts'
import { worstCost } from '../pipe/cost.ts'
import type { Work } from '../pipe/work.ts'
import type { LookedAt } from '../registry/registry.ts'
import type { EstimateRequest, EstimateResponse } from '../schemas/estimate.ts'
import { amountsOf, kindOf } from './amounts.ts'
import { askForCaption } from './caption.ts'
import { cuesOf, promptLengthOf } from './experience.ts'
import { planDetokenize, planGenerate, readPrompt } from './generate.ts'
import type { Job } from './job.ts'
import type { Count, Lengths } from './lengths.ts'
import type { PictureFile } from './picture.ts'
import { planTokenize } from './tokenize.ts'
import { checkAsked, planText, type Asked } from './understanding.ts'
import { askQuestion } from './vqa.ts'

type Usage = EstimateResponse['usage']
/** `tokens`: of the longest answer. `exact`: the numbers that can be no other. */
type Outline = { work: Work<PictureFile>; tokens: number; usage: Usage; exact: (keyof Usage)[] }

const seed = 0 // none that is drawn changes what is expected

/** Throws whatever the job would be refused with before its picture is read, and that the model is not loaded. */
export function estimate (job: Job, asked: EstimateRequest): EstimateResponse {
  const model = job.registry.look(asked.request.model)
  const { manifest } = model
  const { speeds, lengths } = job.experiences.of(manifest)
  const { work, tokens, usage, exact } = outline(job, model, lengths, asked)
  const place = model.place()
  const amounts = amountsOf(work, manifest, tokens)
  const kind = kindOf(work, asked.job)
  const totalMs = speeds.total(kind, place.beside, amounts)
  return {
    model: manifest.name,
    job: asked.job,
    usage: Object.fromEntries(Object.entries(usage).map(([name, count]) => [name, rounded(count, 1)])),
    exact,
    cost: worstCost(work, manifest),
    position: place.ahead,
    start_seconds: rounded(Math.min(speeds.start(kind, place), totalMs) / 1000, 4),
    seconds: rounded(totalMs / 1000, 4)
  }
}

function outline (job: Job, model: LookedAt, lengths: Lengths, asked: EstimateRequest): Outline {
  const { manifest } = model
  switch (asked.job) {
    case 'tokenize': {
      const work = planTokenize(job, manifest, asked.request, seed)
      const { tokens, isExact } = lengths.kept(work.picture)
      const usage = { visual_tokens: tokens, patches: patchesOf(manifest) }
      return { work, tokens, usage, exact: [...(isExact ? ['visual_tokens' as const] : []), 'patches'] }
    }
    case 'detokenize': {
      const work = planDetokenize(job, manifest, asked.request, seed)
      const usage = { prompt_tokens: 0, visual_tokens: work.codes.length, steps: work.painting.steps }
      return { work, tokens: work.codes.length, usage, exact: ['prompt_tokens', 'visual_tokens', 'steps'] }
    }
    case 'generate': {
      const { request } = asked
      const isFollowed = request.stream === true
      const { work, tokens } = planGenerate(job, model, readPrompt(job, request), request, { seed, isFollowed })
      const shown = keptOf(work.segments, lengths)
      const most = Math.min(work.sampling.maxTokens, patchesOf(manifest))
      const [cue] = cuesOf('generate', { prompt: promptLengthOf(work), file: undefined, picture: shown.tokens })
      const drawn = lengths.length(cue, { least: work.sampling.minTokens, most })
      const usage = {
        prompt_tokens: tokens + shown.tokens,
        visual_tokens: work.n * drawn,
        steps: work.painting.steps
      }
      return { work, tokens: drawn, usage, exact: [...(shown.isExact ? ['prompt_tokens' as const] : []), 'steps'] }
    }
    case 'caption':
      return outlineText(job, model, lengths, askForCaption(asked.request))
    case 'vqa':
      return outlineText(job, model, lengths, askQuestion(asked.request))
  }
}

function outlineText (job: Job, model: LookedAt, lengths: Lengths, asked: Asked): Outline {
  checkAsked(job, asked)
  const { work, promptTokens } = planText(job, model, asked, seed)
  const { visual_tokens: codes } = asked.options
  const shown = codes ? { tokens: codes.length, isExact: true } : keptOf(work.segments, lengths)
  const { minTokens, maxTokens } = work.sampling
  const pictures = work.segments.flatMap(segment => (segment.kind === 'ids' ? [] : [segment.picture]))
  const [file] = pictures.flatMap(picture => ('bytes' in picture ? [picture.bytes.length] : []))
  const sizes = { prompt: promptLengthOf(work), file, picture: shown.tokens }
  const [cue] = cuesOf(asked.task, sizes)
  const tokens = lengths.length(cue, { least: minTokens, most: maxTokens })
  const usage = { visual_tokens: shown.tokens, prompt_tokens: promptTokens, completion_tokens: work.n * tokens }
  return { work, tokens, usage, exact: [...(shown.isExact ? ['visual_tokens' as const] : []), 'prompt_tokens'] }
}

/** Of all pictures of a prompt. */
function keptOf (segments: Extract<Work<PictureFile>, { task: 'text' }>['segments'], lengths: Lengths): Count {
  return segments
    .flatMap(segment => (segment.kind === 'ids' ? [] : [lengths.kept(segment.picture)]))
    .reduce((all, one) => ({ tokens: all.tokens + one.tokens, isExact: all.isExact && one.isExact }), {
      tokens: 0,
      isExact: true
    })
}

function rounded (value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
