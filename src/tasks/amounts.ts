/** What a request gives the engine to do, stage by stage, in units whose time is measured. */
import type { Manifest } from '../package/manifest.ts'
import { paintCost, previewPainting, promptsOf, rowsOf } from '../pipe/cost.ts'
import type { Selection, Work } from '../pipe/work.ts'

/** Pictures through the vision graph, prompts read, tokens one after the other, and the cost of what is painted. */
export type Amounts = { encode: number; prefill: number; decode: number; paint: number }

/** A request whose pictures need not be read yet; those that were seen before bring their encoding. */
export type Outlined = Work<{ selection: Selection; encoding?: unknown }>

/** `tokens`: of the longest text, or the picture with most. */
export function amountsOf (work: Outlined, manifest: Manifest, tokens: number): Amounts {
  switch (work.task) {
    case 'tokenize':
      return { encode: 1, prefill: 0, decode: 0, paint: 0 }
    case 'detokenize':
      return { encode: 0, prefill: 0, decode: 0, paint: paintCost(work.painting, manifest) }
    default: {
      const prompts = promptsOf(work)
      const encode = prompts * work.segments.filter(({ kind }) => kind !== 'ids').length
      return { encode, prefill: prompts, decode: tokens, paint: work.task === 'text' ? 0 : paintingOf(work, manifest) }
    }
  }
}

/** Works of one kind take about the same time for the same amounts. `task`: what the work is for. */
export function kindOf (work: Outlined, task: string): string {
  const rows = 'segments' in work ? rowsOf(work) : 0
  const pictures = 'segments' in work ? work.segments : [{ kind: 'codes', ...work }]
  const isNew = pictures.some(each => 'picture' in each && !('encoding' in each.picture))
  return `${task} ${rows} ${isNew ? 'new' : 'known'}`
}

function paintingOf (
  { painting, n, previews = 0 }: Extract<Outlined, { task: 'generate' }>,
  manifest: Manifest
): number {
  return n * (paintCost(painting, manifest) + previews * paintCost(previewPainting(painting, manifest), manifest))
}
