/** Painted pictures on the wire. */
import { Type, type Static } from 'typebox'
import { VisualTokens, examplePicture, exampleTokens, ref, seedRange, strict } from './common.ts'

export const GeneratedImage = Type.Object(
  {
    media_type: Type.Enum(['image/png', 'image/webp', 'image/jpeg'], { description: 'Type of the file' }),
    data: Type.String({ description: 'The file in base64' }),
    width: Type.Integer({ description: 'Pixels across' }),
    height: Type.Integer({ description: 'Pixels down' }),
    seed: Type.Integer({ ...seedRange, description: 'The same request with this seed paints this picture again' }),
    visual_tokens: ref(VisualTokens)
  },
  { ...strict, $id: 'GeneratedImage', description: 'A painted picture' }
)

export const ImagesResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that painted' }),
    images: Type.Array(ref(GeneratedImage), { description: 'The pictures' }),
    usage: Type.Object(
      {
        prompt_tokens: Type.Integer({ description: 'Of the texts and pictures that were sent' }),
        visual_tokens: Type.Integer({ description: 'Of all pictures of the answer' }),
        steps: Type.Integer({ description: 'Paint steps of each picture' })
      },
      { ...strict, description: 'What the work came to' }
    )
  },
  {
    ...strict,
    $id: 'ImagesResponse',
    description: 'Painted pictures',
    examples: [
      {
        model: 'lavit-mini',
        images: [
          {
            media_type: 'image/png',
            data: examplePicture,
            width: 48,
            height: 48,
            seed: 7,
            visual_tokens: exampleTokens
          }
        ],
        usage: { prompt_tokens: 6, visual_tokens: 25, steps: 0 }
      }
    ]
  }
)

export const imagesSchemas = [GeneratedImage, ImagesResponse]
export type ImagesResponse = Static<typeof ImagesResponse>
