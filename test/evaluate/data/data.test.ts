import { join } from 'node:path'
import t from 'tap'
import { readCaptions, readQuestions } from '../../../evaluate/data/coco.ts'
import { readOrders, readScenes } from '../../../evaluate/data/scenes.ts'

const captions = {
  images: [{ id: 391895 }, { id: 7, file_name: 'seven.png' }, { id: 8, file_name: 'eight.png' }],
  annotations: [
    { id: 1, image_id: 391895, caption: 'A man on a motorbike.' },
    { id: 2, image_id: 7, caption: 'seven' },
    { id: 3, image_id: 391895, caption: 'a motorbike' }
  ]
}
const questions = { questions: [{ question_id: 71, image_id: 391895, question: 'What is it?' }] }
const annotations = {
  annotations: [
    {
      question_id: 71,
      image_id: 391895,
      question_type: 'what is',
      answer_type: 'other',
      answers: ['bike', 'motorbike', 'motorbike'].map((answer, i) => ({
        answer_id: i + 1,
        answer,
        answer_confidence: 'yes'
      }))
    }
  ]
}
const pictures = { 'COCO_val2014_000000391895.jpg': '', 'seven.png': '', 'eight.png': '', 'notes.txt': '' }
const file = (content: object) => JSON.stringify(content)

t.test('captions of COCO', async t => {
  t.test('are gathered by picture, found by file name or by the number in it', async t => {
    const folder = t.testdir({ images: pictures, 'captions_val.json': file(captions) })
    t.strictSame(readCaptions({ folder }), [
      {
        id: 391895,
        file: join(folder, 'images/COCO_val2014_000000391895.jpg'),
        captions: ['A man on a motorbike.', 'a motorbike']
      },
      { id: 7, file: join(folder, 'images/seven.png'), captions: ['seven'] }
    ])
    t.equal(readCaptions({ folder }, 1).length, 1)
  })

  t.test('lie where options say', async t => {
    const folder = t.testdir({ pictures, 'captions_a.json': '', 'captions_b.json': file(captions) })
    t.throws(
      () => readCaptions({ folder }),
      /several files that fit \(captions_a.json, captions_b.json\); name one with --captions/
    )
    t.equal(
      readCaptions({ folder, images: join(folder, 'pictures'), captions: join(folder, 'captions_b.json') }).length,
      2
    )
  })

  t.test('that cannot be read say what is wrong', async t => {
    const folder = t.testdir({
      images: { 'seven.png': '' },
      empty: {},
      broken: { 'captions.json': '{' },
      wrong: { 'captions.json': '{"images": [{"id": "seven"}], "annotations": []}' },
      missing: { 'captions.json': file(captions), images: { 'seven.png': '' } }
    })
    t.throws(() => readCaptions({ folder: join(folder, 'nowhere') }), /There is no folder .*nowhere/)
    t.throws(() => readCaptions({ folder: join(folder, 'empty') }), /empty has no file .*--captions/)
    t.throws(() => readCaptions({ folder: join(folder, 'broken') }), /captions.json is not JSON/)
    t.throws(() => readCaptions({ folder: join(folder, 'wrong') }), /captions.json: \/images\/0\/id must be integer/)
    t.throws(
      () => readCaptions({ folder: join(folder, 'missing') }),
      /has no picture whose name ends with the number 391895/
    )
    t.throws(
      () => readCaptions({ folder: join(folder, 'wrong'), captions: join(folder, 'gone.json') }),
      /gone.json cannot be read/
    )
  })
})

t.test('questions of VQA v2', async t => {
  t.test('come with the answers of people, and the commonest where the file names none', async t => {
    const folder = t.testdir({
      images: pictures,
      'v2_OpenEnded_mscoco_val2014_questions.json': file(questions),
      'v2_mscoco_val2014_annotations.json': file(annotations)
    })
    t.strictSame(readQuestions({ folder }), [
      {
        id: 71,
        imageId: 391895,
        file: join(folder, 'images/COCO_val2014_000000391895.jpg'),
        question: 'What is it?',
        people: ['bike', 'motorbike', 'motorbike'],
        commonest: 'motorbike',
        kind: 'what is',
        answerType: 'other'
      }
    ])
  })

  t.test('without answers are refused', async t => {
    const folder = t.testdir({
      images: pictures,
      'questions.json': file(questions),
      'annotations.json': file({ annotations: [] })
    })
    t.throws(() => readQuestions({ folder }), /annotations.json has no answers to question 71/)
  })
})

t.test('prompts', async t => {
  t.test('are one caption of each picture, chosen by the seed', async t => {
    const folder = t.testdir({ images: pictures, 'captions.json': file(captions) })
    const chosen = new Set(Array.from({ length: 20 }, (_, seed) => readOrders({ folder }, seed)[0]!.prompt))
    t.strictSame([...chosen].sort(), ['A man on a motorbike.', 'a motorbike'])
    t.strictSame(readOrders({ folder }, 3), readOrders({ folder }, 3))
  })

  t.test('may hold pictures', async t => {
    const prompt = [
      { type: 'image', file_name: 'dog.png' },
      { type: 'text', text: 'on a red background' }
    ]
    const folder = t.testdir({
      images: pictures,
      shown: { 'dog.png': '' },
      'prompts.json': file({ prompts: [{ image_id: 391895, prompt }] }),
      'scenes.json': file({ scenes: [{ image_id: 391895, concepts: ['dog'], places: ['center'], ground: 'red' }] })
    })
    t.strictSame(readOrders({ folder }, 0), [
      {
        id: 391895,
        file: join(folder, 'images/COCO_val2014_000000391895.jpg'),
        prompt: [
          { type: 'image', file: join(folder, 'shown/dog.png') },
          { type: 'text', text: 'on a red background' }
        ]
      }
    ])
    t.match(readScenes({ folder })!.byImage.get(391895), { concepts: ['dog'], ground: 'red' })
    t.equal(readScenes({ folder: join(folder, 'shown') }), undefined)
  })
})
