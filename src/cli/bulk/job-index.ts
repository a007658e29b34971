/** Shards among the pods of an Indexed Job of Kubernetes: pod i of N does shards i, i + N, and so on. */
import { wrongUsage } from '../endings.ts'
import type { Io } from '../io.ts'

/** Throws an Ending where the environment has no index below `completions`. */
export function shardsOfIndex (shards: string[], completions: number | undefined, { env }: Io): string[] {
  const { JOB_COMPLETION_INDEX: text = '' } = env
  if (completions === undefined) throw wrongUsage('--shards-from index needs --completions, as many as the Job has')
  if (!/^\d+$/.test(text) || Number(text) >= completions) {
    throw wrongUsage(`JOB_COMPLETION_INDEX: ${JSON.stringify(text)} is no number below the ${completions} completions`)
  }
  return shards.filter((_, i) => i % completions === Number(text))
}
