/** Answers: VQA accuracy and exact match, over all questions and by kind. A question without an answer counts as 0. */
import { readQuestions, type Asked } from '../data/coco.ts'
import { share, type Figure, type Part } from '../metrics/bootstrap.ts'
import { cleanQuestion } from '../metrics/answers.ts'
import { judgeAnswer, type Judgement } from '../metrics/vqa-accuracy.ts'
import { askEach, base64, seedOf, type Outcome, type Run } from './run.ts'

type Answer = { answers: { text: string }[] }
type Judged = Judgement & { item: Asked }

const wrong = { accuracy: 0, exact: false }

export async function evaluateAnswers (run: Run): Promise<Outcome> {
  const { answered, failed, missed } = await askEach(
    run,
    readQuestions(run.source, run.limit),
    '/vqa',
    ({ file, question }, index) => ({
      image: base64(file),
      question: cleanQuestion(question),
      seed: seedOf(run, index)
    }),
    ({ answers }: Answer, { people, commonest }) => judgeAnswer(answers[0]!.text, people, commonest),
    wrong
  )
  const unanswered = missed.map(item => ({ item, answer: '', ...wrong }))
  const judged = [...answered, ...unanswered]
  const figures: Record<string, Figure> = {
    'VQA accuracy': accuracy(judged, run.seed),
    'exact match': byPicture(judged, ({ exact }) => Number(exact), run.seed)
  }
  for (const [field, name] of [
    ['answerType', 'answer type'],
    ['kind', 'question type']
  ] as const) {
    const groups = new Set(
      judged
        .map(({ item }) => item[field])
        .filter(group => group !== undefined)
        .sort()
    )
    for (const group of groups) {
      figures[`VQA accuracy, ${name} ${group}`] = accuracy(
        judged.filter(({ item }) => item[field] === group),
        run.seed
      )
    }
  }
  const records = answered.map(({ item: { id, imageId, question, commonest, kind }, answer, accuracy, exact }) => ({
    id,
    image_id: imageId,
    question,
    kind,
    answer,
    expected: commonest,
    accuracy,
    exact
  }))
  return { figures, records: [...records, ...failed] }
}

function accuracy (judged: Judged[], seed: number): Figure {
  return byPicture(judged, ({ accuracy }) => accuracy, seed)
}

/** The mean over questions; its interval comes from drawing pictures again, with all their questions. */
function byPicture (judged: Judged[], scoreOf: (judged: Judged) => number, seed: number): Figure {
  const pictures = new Map<number, Part>()
  for (const each of judged) {
    const { of, right } = pictures.get(each.item.imageId) ?? { of: 0, right: 0 }
    pictures.set(each.item.imageId, { of: of + 1, right: right + scoreOf(each) })
  }
  return { ...share([...pictures.values()], seed), samples: judged.length }
}
