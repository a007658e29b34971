/** The tools: the jobs in the words of the Model Context Protocol, their schemas those of the routes. */
import { Type, type TSchema } from 'typebox'
import { commonSchemas, ref } from '../schemas/common.ts'
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

const ofStreams = ['stream', 'previews'] // a tool's answer comes whole

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

function tool (name: ToolName, title: string, description: string, request: TSchema, response: TSchema) {
  return {
    name,
    title,
    description,
    inputSchema: standalone(request, named, ofStreams),
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
    TokenizeRequest,
    TokenizeResponse
  ),
  tool(
    'caption',
    'Picture to sentence',
    `Says in a sentence what a picture shows. ${pictures}`,
    CaptionRequest,
    CaptionResponse
  ),
  tool('ask', 'Question about a picture', `Answers a question about a picture. ${pictures}`, VqaRequest, VqaResponse),
  tool(
    'paint',
    'Words to picture',
    `Paints pictures of a text, or of texts mixed with pictures and visual tokens. ${pictures}`,
    GenerateRequest,
    PaintResult
  )
]

/** What each tool is asked with, for checking. */
export const requests = {
  tokenize: TokenizeRequest,
  caption: CaptionRequest,
  ask: VqaRequest,
  paint: GenerateRequest
} satisfies Record<ToolName, TSchema>

export function isToolName (name: string): name is ToolName {
  return Object.hasOwn(requests, name)
}
