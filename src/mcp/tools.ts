/** The tools: the jobs in the words of the Model Context Protocol, their schemas those of the routes. */
import { Type, type TObject, type TSchema } from 'typebox'
import { commonSchemas, ref, strict } from '../schemas/common.ts'
import { GenerateRequest, generateSchemas } from '../schemas/generate.ts'
import { GeneratedImage, ImagesResponse } from '../schemas/images.ts'
import { TokenizeRequest, TokenizeResponse } from '../schemas/tokenize.ts'
import {
  CaptionRequest,
  CaptionResponse,
  VqaRequest,
  VqaResponse,
  understandingSchemas
} from '../schemas/understanding.ts'
import { standalone } from './schemas.ts'

export type ToolName = 'tokenize' | 'caption' | 'ask' | 'paint'

/** What each tool is asked with, for checking: a tool's answer comes whole. */
export const requests = {
  tokenize: withoutStreams(TokenizeRequest),
  caption: withoutStreams(CaptionRequest),
  ask: withoutStreams(VqaRequest),
  paint: withoutStreams(GenerateRequest)
} satisfies Record<ToolName, TSchema>

/** The pictures are blocks of the answer, and not repeated. */
const PaintedImage = Type.Object(
  Object.fromEntries(Object.entries(GeneratedImage.properties).filter(([name]) => name !== 'data')),
  { additionalProperties: false, $id: 'PaintedImage', description: 'What an image block of the answer shows' }
)
const PaintResult = Type.Object(
  {
    ...ImagesResponse.properties,
    images: Type.Array(ref(PaintedImage), { description: 'In the order of the blocks' })
  },
  { additionalProperties: false }
)

const named = [...commonSchemas, ...understandingSchemas, ...generateSchemas, PaintedImage]

const annotations = { readOnlyHint: true, destructiveHint: false, openWorldHint: false }

function tool (name: ToolName, title: string, description: string, response: TSchema) {
  return {
    name,
    title,
    description,
    inputSchema: standalone(requests[name], named),
    outputSchema: standalone(response, named),
    annotations
  }
}

const pictures =
  'A picture is a data URL or base64, an https URL where the server may fetch, or {"ref": …} with the `image_ref` of ' +
  'an earlier answer.'

export const tools = [
  tool(
    'tokenize',
    'Picture to visual tokens',
    `Turns a picture into a variable number of discrete visual tokens, more where there is more to see. ${pictures}`,
    TokenizeResponse
  ),
  tool(
    'caption',
    'Picture to sentence',
    `Says in a sentence what a picture shows. ${pictures}`,
    CaptionResponse
  ),
  tool('ask', 'Question about a picture', `Answers a question about a picture. ${pictures}`, VqaResponse),
  tool(
    'paint',
    'Words to picture',
    `Paints pictures of a text, or of texts mixed with pictures and visual tokens. ${pictures}`,
    PaintResult
  )
]

export function isToolName (name: string): name is ToolName {
  return Object.hasOwn(requests, name)
}

function withoutStreams<Schema extends TObject> (schema: Schema) {
  const { description } = schema as TSchema & { description?: string }
  return Type.Omit(schema, ['stream', 'previews'], { ...strict, ...(description !== undefined && { description }) })
}
