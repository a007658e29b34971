/** Which known field was meant by an unknown one. */
import { closestMatch } from 'leven'

/** What other servers and libraries call a field that some request of ours has. */
const otherNames: Record<string, string[]> = {
  max_tokens: ['max_new_tokens', 'max_completion_tokens', 'max_output_tokens', 'max_length', 'max_tokens_to_sample'],
  min_tokens: ['min_new_tokens', 'min_length'],
  num_beams: ['beams', 'beam_size', 'beam_width', 'best_of'],
  n: ['num_return_sequences', 'num_images', 'num_images_per_prompt', 'num_samples', 'batch_size', 'count', 'number'],
  steps: ['num_inference_steps', 'num_steps', 'inference_steps', 'sampling_steps'],
  guidance_scale: ['cfg_scale', 'cfg', 'guidance'],
  repetition_penalty: ['frequency_penalty', 'presence_penalty', 'repeat_penalty'],
  size: ['width', 'height', 'resolution', 'dimensions', 'image_size'],
  format: ['response_format', 'output_format', 'file_format', 'mime_type', 'media_type', 'type'],
  image: [
    'picture',
    'img',
    'file',
    'photo',
    'upload',
    'image_url',
    'image_data',
    'image_base64',
    'input_image',
    'images',
    'b64_json',
    'data'
  ],
  prompt: ['text', 'input', 'inputs', 'caption', 'description', 'messages', 'message', 'content'],
  question: ['query', 'q', 'prompt', 'text', 'input'],
  visual_tokens: ['tokens', 'codes', 'ids', 'token_ids', 'input_ids'],
  keep_threshold: ['threshold'],
  model: ['model_name', 'model_id', 'engine'],
  deadline_ms: ['timeout', 'timeout_ms', 'deadline', 'max_time'],
  stream: ['streaming'],
  seed: ['random_seed', 'random_state', 'generator_seed']
}

/**
 * The known field that is nearest to a name: the same but for case and marks, the same thing elsewhere, few letters
 * away, or one that has all its words, whose words it has all, or that begins like it. None where nothing is near.
 */
export function nearestField (name: string, known: string[]): string | undefined {
  if (name.length > 60) return undefined
  const words = wordsOf(name)
  const letters = words.join('')
  const fields = new Map(known.map(field => [wordsOf(field).join(''), field]))
  const within = (share: number) =>
    fields.get(closestMatch(letters, [...fields.keys()], { maxDistance: Math.floor(letters.length * share) }) ?? '')
  return (
    known.find(field => otherNames[field]?.includes(words.join('_'))) ??
    within(1 / 4) ??
    relative(words, known) ??
    within(1 / 3)
  )
}

/** `maxTokens`, `max-tokens` and `Max Tokens` are the same words. */
function wordsOf (name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '')
}

/** Of several the one with the fewest words more or less. */
function relative (words: string[], known: string[]): string | undefined {
  const isPart = (some: string[], all: string[]) =>
    some.every(word => word.length > 1 && all.some(other => isLike(word, other)))
  return known
    .map(field => ({ field, of: wordsOf(field) }))
    .filter(({ of }) => words.length > 0 && (isPart(of, words) || isPart(words, of)))
    .sort((a, b) => Math.abs(a.of.length - words.length) - Math.abs(b.of.length - words.length))[0]?.field
}

/** The same word, or a beginning of the other. */
function isLike (a: string, b: string): boolean {
  return a === b || (Math.min(a.length, b.length) > 3 && (a.startsWith(b) || b.startsWith(a)))
}
