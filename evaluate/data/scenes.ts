/** What a drawn data set knows of its pictures beyond captions: `scenes.json`, and prompts that hold pictures. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { readChecked, readCaptions, type Source } from './coco.ts'
import { indexPictures } from './files.ts'
import { createRandom } from '../../src/engine/drawing/random.ts'

const Scene = Type.Object({
  image_id: Type.Integer(),
  concepts: Type.Array(Type.String(), { description: 'One name for each object' }),
  places: Type.Array(Type.String(), { description: 'Where each object stands: center, left, top right, ...' }),
  ground: Type.String({ description: 'Colour of the ground' }),
  case: Type.Optional(Type.String({ description: 'The kind of prompt, by which figures are told apart' }))
})

const ScenesFile = Type.Object({
  names: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), { description: 'What captions call each concept' })
  ),
  scenes: Type.Array(Scene)
})

const PromptsFile = Type.Object({
  prompts: Type.Array(
    Type.Object({
      image_id: Type.Integer({ description: 'The picture that shows what should be painted' }),
      prompt: Type.Array(
        Type.Union([
          Type.Object({ type: Type.Literal('text'), text: Type.String() }),
          Type.Object({ type: Type.Literal('image'), file_name: Type.String() })
        ])
      )
    })
  )
})

export type Scene = Static<typeof Scene>
export type Scenes = { names: Record<string, string[]> | undefined; byImage: Map<number, Scene> }

/** Text, or file paths of pictures and text in order. */
export type Prompt = string | ({ type: 'text'; text: string } | { type: 'image'; file: string })[]

/** A picture to be painted, and the true picture it is compared with. */
export type Ordered = { id: number; file: string; prompt: Prompt }

/** The facts of a drawn data set; `undefined` where the folder has none. */
export function readScenes ({ folder }: Source): Scenes | undefined {
  const file = join(folder, 'scenes.json')
  if (!existsSync(file)) return undefined
  const { names, scenes } = readChecked(ScenesFile, file)
  return { names, byImage: new Map(scenes.map(scene => [scene.image_id, scene])) }
}

/** The prompts of `prompts.json`, or where there is none one caption of each picture, chosen by the seed. */
export function readOrders (source: Source, seed: number, limit = Infinity): Ordered[] {
  const file = join(source.folder, 'prompts.json')
  if (!existsSync(file)) {
    const random = createRandom(seed, 'selection')
    return readCaptions(source, limit).map(({ id, file, captions }) => ({
      id,
      file,
      prompt: captions[Math.floor(random.uniform() * captions.length)]!
    }))
  }
  const find = indexPictures(source.images ?? join(source.folder, 'images'))
  const findShown = indexPictures(join(source.folder, 'shown'))
  return readChecked(PromptsFile, file)
    .prompts.slice(0, limit)
    .map(({ image_id: id, prompt }) => ({
      id,
      file: find(id),
      prompt: prompt.map(part =>
        part.type === 'text' ? part : { type: 'image' as const, file: findShown(NaN, part.file_name) }
      )
    }))
}
