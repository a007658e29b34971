/**
 * Captions: CIDEr-D against references; of drawn scenes also whether they name what is there. A picture that none was
 * written about counts as one with an empty caption.
 */
import { readCaptions } from '../data/coco.ts'
import { readScenes, type Scenes } from '../data/scenes.ts'
import { mean, share, type Figure } from '../metrics/bootstrap.ts'
import { ciderScores } from '../metrics/cider.ts'
import { conceptsIn, namesOf } from '../metrics/concepts.ts'
import { askEach, base64, seedOf, type Outcome, type Run } from './run.ts'

type Answer = { captions: { text: string; finish_reason: string }[] }
type Naming = { named: string[]; present: string[]; right: number }

export async function evaluateCaptions (run: Run): Promise<Outcome> {
  const { answered, failed, missed } = await askEach(
    run,
    readCaptions(run.source, run.limit),
    '/caption',
    ({ file }, index) => ({ image: base64(file), seed: seedOf(run, index) }),
    ({ captions }: Answer) => ({ caption: captions[0]!.text, ending: captions[0]!.finish_reason }),
    { cider: 0 }
  )
  const items = [...answered.map(({ item }) => item), ...missed]
  const captions = items.map((_, i) => answered[i]?.caption ?? '')
  const cider = ciderScores(
    captions,
    items.map(({ captions }) => captions)
  )
  const namings = nameConcepts(
    run,
    items.map(({ id }) => id),
    captions
  )
  return {
    figures: { 'CIDEr-D': mean(cider, run.seed), ...(namings && conceptFigures(namings, run.seed)) },
    records: [
      ...answered.map(({ item, caption, ending }, i) => ({
        id: item.id,
        caption,
        finish_reason: ending,
        cider: cider[i],
        ...namings?.[i]
      })),
      ...failed
    ]
  }
}

/** What each caption names of the model's concepts, and what the scene holds; `undefined` where no facts are known. */
function nameConcepts ({ source, about }: Run, ids: number[], captions: string[]): Naming[] | undefined {
  const scenes: Scenes | undefined = readScenes(source)
  if (!scenes) return undefined
  const names = namesOf(about.concepts ?? Object.keys(scenes.names ?? {}), scenes.names)
  return captions.map((caption, i) => {
    const named = conceptsIn(caption, names)
    const present = new Set(scenes.byImage.get(ids[i]!)?.concepts)
    return {
      named: [...named],
      present: [...present],
      right: [...named].filter(concept => present.has(concept)).length
    }
  })
}

function conceptFigures (namings: Naming[], seed: number): Record<string, Figure> {
  return {
    'things named that are there (precision)': share(
      namings.map(({ named, right }) => ({ of: named.length, right })),
      seed
    ),
    'things there that are named (recall)': share(
      namings.map(({ present, right }) => ({ of: present.length, right })),
      seed
    )
  }
}
