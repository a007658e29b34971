import { readFileSync } from 'node:fs'
import t from 'tap'
import { conceptsIn, namesOf, pluralOf } from '../../../evaluate/metrics/concepts.ts'

t.test('a caption names concepts', async t => {
  const names = namesOf(['dog', 'hot dog', 'ice cream', 'fox', 'ring', 'jeans'])
  for (const [caption, expected] of [
    ['two hot dogs and a fox on a red background', ['fox', 'hot dog']],
    ['a dog, a hot dog.', ['dog', 'hot dog']],
    ['Foxes; ICE CREAM!', ['fox', 'ice cream']],
    ['earrings and a doghouse', []],
    ['two pairs of jeans', ['jeans']],
    ['a dog and a dog dog', ['dog']]
  ] as const) {
    t.strictSame([...conceptsIn(caption, names)].sort(), expected, caption)
  }
})

t.test('names of the data set stand above the rules of spelling', async t => {
  t.strictSame([...conceptsIn('two mice', namesOf(['mouse'], { mouse: ['mouse', 'mice'] }))], ['mouse'])
  t.strictSame([...conceptsIn('two mice', namesOf(['mouse']))], [])
})

t.test('plurals follow the rules of spelling', async t => {
  const concepts = JSON.parse(
    readFileSync(new URL('../../../models/recipe/art/concepts.json', import.meta.url), 'utf8')
  ) as { label: string; plural: string }[]
  const irregular = concepts.filter(
    ({ label, plural }) => pluralOf(label) !== plural && !` ${plural} `.includes(` ${label} `)
  )
  t.strictSame(irregular.map(({ plural }) => plural).sort(), [
    // what only the names of a data set can say
    'amphorae',
    'bows and arrows',
    'computer mice',
    'couches and lamps',
    'dna helices',
    'ears of corn',
    'feet',
    'flags in holes',
    'forks and knives',
    'game dice',
    'geese',
    'glasses of milk',
    'hearts with arrows',
    'mangoes',
    'mice',
    'nuts and bolts',
    'piles of poo',
    'potatoes',
    'statues of liberty',
    'suns with face',
    'teeth',
    'tomatoes',
    'tornadoes',
    'volcanoes'
  ])
})
