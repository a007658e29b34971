/** Painting for OpenAI's wire: what is asked becomes a prompt of parts, and pictures become base64. */
import { encodePicture } from '../codecs/image.ts'
import { refusedField, withPointers } from '../errors.ts'
import type { Tell, Wire } from '../schemas/events.ts'
import type { ImageEditRequest, ImageGenerationRequest, ImageResult } from '../schemas/openai/images.ts'
import type { PromptPart } from '../schemas/prompt.ts'
import { generate } from '../tasks/generate.ts'
import type { Job } from '../tasks/job.ts'
import { now } from './created.ts'
import { errorOf } from './errors.ts'

type Options = Omit<ImageGenerationRequest, 'prompt'>

/** Throws `invalid_request` for what would make another answer than the client expects. */
export async function paintPrompt (job: Job, request: ImageGenerationRequest, tell?: Tell): Promise<ImageResult> {
  return paint(job, request, [{ type: 'text', text: request.prompt }], { tell, place: pointer => pointer })
}

/** Pictures first, then the words. Throws `invalid_request` for a mask, too. */
export async function paintEdit (job: Job, request: ImageEditRequest, tell?: Tell): Promise<ImageResult> {
  if (request.mask !== undefined && request.mask !== null) {
    throw refusedField('/mask', 'cannot be honoured: the model paints whole pictures; leave it out')
  }
  const pictures = [request.image].flat().map(image => ({ type: 'image' as const, image }))
  const place = (pointer: string) =>
    pointer.replace(/^\/prompt\/(\d+)\/image/, Array.isArray(request.image) ? '/image/$1' : '/image')
  return paint(job, request, [...pictures, { type: 'text', text: request.prompt }], { tell, place })
}

type Place = (pointer: string) => string

async function paint (
  job: Job,
  options: Options,
  prompt: PromptPart[],
  { tell, place }: { tell: Tell | undefined; place: Place }
): Promise<ImageResult> {
  refuseOthers(options)
  const { model, n, seed, size, priority, output_format: format = 'png', deadline_ms: deadlineMs } = options
  const request = {
    prompt,
    ...(model !== undefined && { model }),
    ...(n !== undefined && { n }),
    ...(seed !== undefined && { seed }),
    ...(size !== undefined && size !== 'auto' && { size }),
    ...(options.partial_images !== undefined && { previews: options.partial_images }),
    format,
    ...(priority !== undefined && { priority }),
    ...(deadlineMs !== undefined && { deadline_ms: deadlineMs })
  }
  const { pictures, usage, shownTokens } = await generate(job, request, tell).catch(error => {
    throw withPointers(error, place)
  })
  const data = await Promise.all(
    pictures.map(async picture => ({
      b64_json: (await encodePicture(picture, format)).toString('base64'),
      seed: picture.seed
    }))
  )
  return {
    created: now(),
    data,
    output_format: format,
    size: pictures.map(({ width, height }) => `${width}x${height}`)[0] ?? '',
    usage: {
      input_tokens: usage.prompt_tokens,
      output_tokens: usage.visual_tokens,
      total_tokens: usage.prompt_tokens + usage.visual_tokens,
      input_tokens_details: { text_tokens: usage.prompt_tokens - shownTokens, image_tokens: shownTokens }
    }
  }
}

function refuseOthers ({ response_format: form, background }: Options): void {
  if (form === 'url') {
    throw refusedField('/response_format', 'cannot be url: pictures come as b64_json')
  }
  if (background === 'transparent') {
    throw refusedField('/background', 'cannot be transparent: the model paints opaque pictures')
  }
}

/** The events of a streamed picture, named after `image_generation` or `image_edit`. */
export function pictureEventsOf (kind: 'image_generation' | 'image_edit'): Wire<ImageResult> {
  const looks = { quality: 'auto', background: 'opaque' }
  let previews = 0
  return {
    tell (name, data) {
      if (name !== 'preview' || !('media_type' in data)) return ''
      const type = `${kind}.partial_image`
      const place = { partial_image_index: previews++, created_at: now(), size: 'auto', ...looks }
      return event(type, { type, ...place, output_format: data.media_type.slice('image/'.length), b64_json: data.data })
    },
    done ({ created, data, size, output_format: format, usage }) {
      const type = `${kind}.completed`
      const common = { type, created_at: created, size, ...looks, output_format: format, usage }
      return data.map(picture => event(type, { ...common, ...picture })).join('')
    },
    failed: problem => event('error', { type: 'error', error: errorOf(problem) })
  }
}

function event (name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
