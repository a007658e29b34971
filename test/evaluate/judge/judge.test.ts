import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { alignmentFigures, judgePicture, type Recogniser } from '../../../evaluate/judge/alignment.ts'
import { openNetwork } from '../../../evaluate/judge/network.ts'

const root = join(import.meta.dirname, '../../..')
const fixture = (name: string) => readFileSync(join(root, 'test/fixtures', name))

t.test('the judge of the recipe', async t => {
  const network = await openNetwork(join(root, 'models/recipe/weights/judge.onnx'))
  t.teardown(() => network.close())
  const judge = async (name: string, concepts: string[], places: string[], ground: string) =>
    judgePicture(network.recognise!, fixture(name), { image_id: 1, concepts, places, ground })

  t.test('names one thing and its ground', async t => {
    t.match(await judge('apple.png', ['red apple'], ['center'], 'yellow'), {
      concepts: ['red apple'],
      isComplete: true,
      isGroundRight: true
    })
  })

  t.test('names several things, each at its place', async t => {
    t.match(await judge('scene.png', ['dog', 'rocket'], ['top', 'bottom'], 'blue'), {
      inPlace: { of: 2, right: 2 },
      isComplete: true,
      isRightWayRound: true,
      isGroundRight: true
    })
    t.match(
      await judge(
        'four.png',
        ['cat', 'guitar', 'pizza', 'umbrella'],
        ['top left', 'top right', 'bottom left', 'bottom right'],
        'white'
      ),
      { inPlace: { of: 4, right: 4 }, isComplete: true }
    )
  })

  t.test('tells what stands the wrong way round, and still finds it', async t => {
    t.match(await judge('scene.png', ['rocket', 'dog'], ['top', 'bottom'], 'red'), {
      inPlace: { of: 2, right: 0 },
      anywhere: { of: 2, right: 2 },
      isComplete: false,
      isRightWayRound: false,
      isGroundRight: false
    })
  })

  t.test('looks everywhere where a scene names no places', async t => {
    t.match(await judge('scene.png', ['rocket', 'dog'], [], 'blue'), {
      anywhere: { of: 2, right: 2 },
      isComplete: true
    })
  })

  t.test('has features that differ with what is seen', async t => {
    const [apple, again, scene] = await Promise.all(
      ['apple.png', 'apple.png', 'scene.png'].map(name => network.features(fixture(name)))
    )
    t.equal(apple!.length, 640)
    t.strictSame(apple, again)
    t.notSame(apple, scene)
  })
})

t.test('a region is cut out of the picture', async t => {
  const halves = await sharp({ create: { width: 100, height: 60, channels: 3, background: '#ff0000' } })
    .composite([{ input: { create: { width: 50, height: 60, channels: 3, background: '#0000ff' } }, left: 50, top: 0 }])
    .png()
    .toBuffer()
  const network = await openNetwork(join(root, 'models/recipe/weights/judge.onnx'))
  t.teardown(() => network.close())
  const groundOf = async (x: number) => (await network.recognise!(halves, [{ x, y: 0.5, side: 0.4 }])).ground
  t.equal(await groundOf(0.2), 'red')
  t.equal(await groundOf(0.8), 'blue')
  t.equal(await groundOf(1), 'blue', 'moved inside where it would stick out')
})

t.test('a missing network is said', async t => {
  await t.rejects(openNetwork('/nowhere/judge.onnx'), { message: 'There is no network /nowhere/judge.onnx' })
})

t.test('each thing that is seen counts once', async t => {
  const recognise: Recogniser = async (_, regions) => ({
    concepts: regions.map(() => 'dog'),
    scoreOf: () => 0,
    ground: 'red'
  })
  const verdict = await judgePicture(recognise, Buffer.alloc(0), {
    image_id: 1,
    concepts: ['dog', 'cat'],
    places: ['left', 'right'],
    ground: 'red'
  })
  t.match(verdict, { inPlace: { of: 2, right: 1 }, anywhere: { of: 2, right: 1 }, isComplete: false })
  const figures = alignmentFigures('pair', [verdict, verdict], 0)
  t.strictSame(
    Object.entries(figures).map(([name, { value }]) => [name, value]),
    [
      ['pair: object in its place', 0.5],
      ['pair: object anywhere', 0.5],
      ['pair: all objects', 0],
      ['pair: right way round (chance .50)', 0],
      ['pair: ground', 1]
    ]
  )
})

t.test('of one kind as many are counted as stand where they are seen best', async t => {
  const names = ['center', 'left', 'right', 'top', 'bottom', 'top left', 'top right', 'bottom left', 'bottom right']
  const counted = async (scores: Record<string, number>, wanted: number) => {
    const recognise: Recogniser = async () => ({
      concepts: names.map(name => (name in scores ? 'dog' : 'cat')),
      scoreOf: region => scores[names[region]!] ?? -9,
      ground: 'red'
    })
    const scene = { image_id: 1, concepts: Array<string>(wanted).fill('dog'), places: [], ground: 'red' }
    const verdict = await judgePicture(recognise, Buffer.alloc(0), scene)
    const [name] = Object.keys(alignmentFigures('dogs', [verdict], 0)).filter(name => name.endsWith('as many'))
    t.equal(name, 'dogs: as many')
    return verdict.isCountRight
  }
  const halves = { 'top left': 1, 'top right': 1, 'bottom left': 1, 'bottom right': 1 }
  t.equal(await counted({ left: 5, right: 5, ...halves }, 2), true, 'in a row, whose halves stand in the corners')
  t.equal(await counted({ left: 1, right: 1, 'top left': 5, 'top right': 5, 'bottom left': 5 }, 3), true)
  t.equal(await counted({ left: 1, right: 1, 'top left': 5, 'top right': 5, 'bottom left': 5 }, 2), false)
  t.equal(await counted({ center: 7, left: 5, right: 5 }, 2), true, 'two, which the whole shows by little better')
  t.equal(await counted({ center: 9, left: 5, right: 5 }, 2), false, 'one, whose halves would do')
  t.equal(await counted({ center: 5 }, 2), false, 'one alone')
  t.equal(await counted({ left: 5, top: 5 }, 2), false, 'no arrangement')
})
