/** Data sets in the formats of COCO captions and of VQA v2. */
import { join } from 'node:path'
import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { DataError, findFile, indexPictures, readJson } from './files.ts'

/** Where a data set lies: a folder, and files of it by name where it holds more than one of a kind. */
export type Source = { folder: string; images?: string; captions?: string; questions?: string; annotations?: string }

/** A picture with its reference captions. */
export type Captioned = { id: number; file: string; captions: string[] }

/** A question about a picture, the answers that people gave, and the one most gave. */
export type Asked = {
  id: number
  imageId: number
  file: string
  question: string
  people: string[]
  commonest: string
  kind: string | undefined
  answerType: string | undefined
}

const CaptionsFile = Type.Object({
  images: Type.Array(Type.Object({ id: Type.Integer(), file_name: Type.Optional(Type.String()) })),
  annotations: Type.Array(Type.Object({ image_id: Type.Integer(), caption: Type.String() }))
})

const QuestionsFile = Type.Object({
  questions: Type.Array(Type.Object({ question_id: Type.Integer(), image_id: Type.Integer(), question: Type.String() }))
})

const AnnotationsFile = Type.Object({
  annotations: Type.Array(
    Type.Object({
      question_id: Type.Integer(),
      answers: Type.Array(Type.Object({ answer: Type.String() }), { minItems: 1 }),
      multiple_choice_answer: Type.Optional(Type.String()),
      question_type: Type.Optional(Type.String()),
      answer_type: Type.Optional(Type.String())
    })
  )
})

/** The pictures of `captions_*.json` that have captions, in the order of the file; all of them without a `limit`. */
export function readCaptions (source: Source, limit = Infinity): Captioned[] {
  const { images, annotations } = readChecked(
    CaptionsFile,
    findFile(source.folder, /^captions.*\.json$/, '--captions', source.captions)
  )
  const captions = new Map<number, string[]>()
  for (const { image_id: id, caption } of annotations) captions.set(id, [...(captions.get(id) ?? []), caption])
  const find = indexPictures(source.images ?? join(source.folder, 'images'))
  return images
    .filter(({ id }) => captions.has(id))
    .slice(0, limit)
    .map(({ id, file_name: name }) => ({ id, file: find(id, name), captions: captions.get(id)! }))
}

/** The questions of `*questions*.json` in the order of the file, each with its answers from `*annotations*.json`. */
export function readQuestions (source: Source, limit = Infinity): Asked[] {
  const { questions } = readChecked(
    QuestionsFile,
    findFile(source.folder, /questions.*\.json$/, '--questions', source.questions)
  )
  const file = findFile(source.folder, /annotations.*\.json$/, '--annotations', source.annotations)
  const annotations = new Map(readChecked(AnnotationsFile, file).annotations.map(each => [each.question_id, each]))
  const find = indexPictures(source.images ?? join(source.folder, 'images'))
  return questions.slice(0, limit).map(({ question_id: id, image_id: imageId, question }) => {
    const annotation = annotations.get(id)
    if (!annotation) throw new DataError(`${file} has no answers to question ${id}`)
    const people = annotation.answers.map(({ answer }) => answer)
    return {
      id,
      imageId,
      file: find(imageId),
      question,
      people,
      commonest: annotation.multiple_choice_answer ?? mostFrequent(people),
      kind: annotation.question_type,
      answerType: annotation.answer_type
    }
  })
}

/** A JSON file that fits a schema, or an error that names the first place where it does not. */
export function readChecked<T extends TSchema> (schema: T, file: string): Static<T> {
  const content = readJson(file)
  if (Value.Check(schema, content)) return content as Static<T>
  const [first] = Value.Errors(schema, content)
  throw new DataError(`${file}: ${first?.instancePath || '/'} ${first?.message ?? 'has the wrong form'}`)
}

function mostFrequent (answers: string[]): string {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0]
}
