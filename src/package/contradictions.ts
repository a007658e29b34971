/** What a schema cannot say: fields of a manifest that do not fit each other. */
import type { PaintDefaults } from './defaults.ts'
import type { Manifest } from './manifest.ts'
import { patchesOf } from './patches.ts'
import type { PixelDecoderShape } from './pixel-decoder.ts'

type Rule = [holds: boolean, otherwise: string]

/** The first, in words. */
export function findContradiction (manifest: Manifest): string | undefined {
  const { tasks, pixel_decoder: decoder, graphs, familiarity } = manifest
  const rules: Rule[] = [
    ...idRules(manifest),
    [
      manifest.visual_tokenizer.min_visual_tokens <= patchesOf(manifest),
      'visual_tokenizer.min_visual_tokens exceeds the grid'
    ],
    [manifest.prompts.question.includes('{question}'), 'prompts.question must contain {question}'],
    ...lengthRules(manifest),
    [
      (decoder === undefined) === (graphs.tokenizer_decoder === undefined),
      'pixel_decoder and graphs.tokenizer_decoder go together'
    ],
    [
      (familiarity === undefined) === (graphs.familiarity === undefined),
      'familiarity and graphs.familiarity go together'
    ],
    ...(decoder === undefined ? [] : paintingRules(tasks.generate, decoder, graphs))
  ]
  return rules.find(([holds]) => !holds)?.[1]
}

function idRules ({ ids, visual_tokenizer: tokenizer, language_model: language }: Manifest): Rule[] {
  return [
    [ids.end < ids.image_start, 'ids.end must be below ids.image_start'],
    [ids.image_end === ids.image_start + 1, 'ids.image_end must follow ids.image_start'],
    [ids.visual_offset === ids.image_end + 1, 'ids.visual_offset must follow ids.image_end'],
    [
      ids.visual_offset + tokenizer.codebook_size === language.vocabulary_size,
      'language_model.vocabulary_size must be ids.visual_offset + visual_tokenizer.codebook_size'
    ]
  ]
}

/** What a request gets that says nothing of its length must fit beside the shortest prompt. */
function lengthRules (manifest: Manifest): Rule[] {
  const { tasks, language_model: { max_length: maxLength }, pixel_decoder: decoder } = manifest
  const picture = patchesOf(manifest) + 2 // between its start and its end
  const shortest = { caption: picture, vqa: picture + 1, generate: 2 }
  return (['caption', 'vqa', 'generate'] as const).flatMap((task): Rule[] => {
    const { min_tokens: least, max_tokens: most } = tasks[task]
    const isServed = task !== 'generate' || decoder !== undefined
    const name = `tasks.${task}.max_tokens`
    return [
      [least <= most, `tasks.${task}.min_tokens exceeds ${name}`],
      [
        !isServed || shortest[task] + most <= maxLength,
        `${name} and the shortest prompt (${shortest[task]} tokens) exceed language_model.max_length`
      ]
    ]
  })
}

function paintingRules (
  { size, steps }: PaintDefaults,
  decoder: PixelDecoderShape,
  graphs: Manifest['graphs']
): Rule[] {
  return [
    [decoder.sizes.includes(size), 'tasks.generate.size is none of pixel_decoder.sizes'],
    [steps <= decoder.max_steps, 'tasks.generate.steps exceeds pixel_decoder.max_steps'],
    [
      steps > 0 ? 'denoiser' in graphs : 'painter' in graphs,
      'tasks.generate.steps needs a graph that the package lacks'
    ]
  ]
}
