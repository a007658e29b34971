/** Pictures to begin with: eight of the world that the model knows, and one of another. */
import apples from '../samples/apples.png'
import breakfast from '../samples/breakfast.png'
import cactus from '../samples/cactus.png'
import cats from '../samples/cats.png'
import fox from '../samples/fox.png'
import mixed from '../samples/mixed.png'
import octopus from '../samples/octopus.png'
import penguin from '../samples/penguin.png'
import photograph from '../samples/photograph.webp'
import rocket from '../samples/rocket.png'

export type Sample = { file: string; url: string; says: string }

export const samples: Sample[] = [
  { file: 'fox.png', url: fox, says: 'A fox' },
  { file: 'rocket.png', url: rocket, says: 'A rocket above a full moon' },
  { file: 'mixed.png', url: mixed, says: 'A pizza, a key, a sunflower, a bicycle' },
  { file: 'penguin.png', url: penguin, says: 'A penguin above an ice cream' },
  { file: 'apples.png', url: apples, says: 'Two red apples' },
  { file: 'octopus.png', url: octopus, says: 'An octopus and a guitar' },
  { file: 'cats.png', url: cats, says: 'Three cats' },
  { file: 'breakfast.png', url: breakfast, says: 'Coffee, a croissant and an egg' },
  { file: 'cactus.png', url: cactus, says: 'A cactus' },
  { file: 'photograph.webp', url: photograph, says: 'A photograph, which the model does not know' }
]
