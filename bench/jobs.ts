/** What is asked: the requests of each job, the same in every run. */
import type { Call } from './target.ts'

export const jobs = ['caption', 'greedy', 'vqa', 'tokenize', 'generate', 'mixed'] as const
export type Job = (typeof jobs)[number]

export const questions = [
  'how many objects are there?',
  'what is on the left?',
  'which colour is the background?',
  'is there a dog?'
]
export const prompts = [
  'a rocket on a blue background',
  'two apples',
  'a dog',
  'a cat and a tree on a red background',
  'a star'
]

/** `kept`: exactly so many patches of each picture stay; without it as many as the model decides. */
export function callsOf (job: Job, pictures: Uint8Array[], kept?: number): Call[] {
  const budget = kept === undefined ? {} : { min_visual_tokens: kept, max_visual_tokens: kept }
  const read = (route: string, options: (i: number) => Record<string, string | number> = () => ({})) =>
    pictures.map((body, i) => {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries({ seed: i, ...budget, ...options(i) })) query.set(name, String(value))
      return { path: `/${route}?${query}`, type: 'image/png', body }
    })
  switch (job) {
    case 'caption':
      return read('caption')
    case 'greedy':
      return read('caption', () => ({ num_beams: 1 }))
    case 'vqa':
      return read('vqa', i => ({ question: questions[i % questions.length] ?? '' }))
    case 'tokenize':
      return read('tokenize')
    case 'generate':
      return pictures.map((_, i) => paint({ prompt: prompts[i % prompts.length], seed: i }))
    case 'mixed':
      return interleaved(jobs.filter(each => each !== 'mixed').map(each => callsOf(each, pictures, kept)))
  }
}

/** What the model said, apart from what may change: the parts of an answer that must be the same under load. */
export function contentOf (body: string): string {
  const { image_ref: _, ...content } = JSON.parse(body)
  return JSON.stringify(content)
}

/** By which answers of different servers are compared: the first text, or the visual tokens. */
export function gistOf (body: string): string {
  const { captions, answers, visual_tokens: tokens, images } = JSON.parse(body)
  return (captions ?? answers)?.[0]?.text?.trim() ?? JSON.stringify(tokens ?? images?.[0]?.visual_tokens)
}

function paint (body: object): Call {
  return { path: '/generate', type: 'application/json', body: Buffer.from(JSON.stringify(body)) }
}

/** One of each list after the other. */
export function interleaved (lists: Call[][]): Call[] {
  return (lists[0] ?? []).flatMap((_, i) => lists.flatMap(list => list[i] ?? []))
}
