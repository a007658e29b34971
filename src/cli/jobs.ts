/** Which command asks which route, and which fields of its request are no options of the command. */
export const jobs = {
  caption: { path: '/caption', own: ['image', 'stream'] },
  ask: { path: '/vqa', own: ['image', 'question', 'stream'] },
  tokenize: { path: '/tokenize', own: ['image'] },
  paint: { path: '/generate', own: ['prompt', 'stream', 'previews'] },
  detokenize: { path: '/detokenize', own: ['visual_tokens'] }
} as const

export type JobName = keyof typeof jobs

export const jobNames = Object.keys(jobs).filter(isJobName)

function isJobName (name: string): name is JobName {
  return Object.hasOwn(jobs, name)
}
