/**
 * The other forms of a request that reads pictures: a multipart form, and the picture itself with its options in the
 * query.
 */
import { exampleImage } from '../../schemas/common.ts'
import { pictureTypes, type DocumentLimits } from './limits.ts'
import type { Media, Parameter, Schema } from './shape.ts'

/** Adds them beside JSON. `pictures`: a file is the field `image`, one of several such, or a part of the prompt. */
export function addForms (
  content: Media,
  schema: Schema,
  pictures: 'image' | 'images' | 'prompt',
  limits: DocumentLimits
) {
  const file = (description: string) => ({
    type: 'string',
    format: 'binary',
    maxLength: limits.maxImageBytes,
    description
  })
  const image = file('The file; its base64 or data URL as text is read, too')
  const list = { type: 'array', items: image, description: 'The pictures' }
  const form =
    pictures === 'prompt' ? promptForm(schema, image) : imageForm(schema, pictures === 'image' ? image : list)
  const example = pictures === 'prompt' ? promptExample : content['application/json']?.example
  const description = `${schema.description ?? 'The request'}, as a form`
  content['multipart/form-data'] = {
    schema: { type: 'object', description, additionalProperties: pictures === 'images', ...form },
    example
  }
  if (pictures === 'images') return
  for (const type of pictureTypes(limits)) {
    content[type] = {
      schema: file('The picture; its options stand in the query')
    }
  }
}

/** Options that may stand in the query beside any body. */
export function queryOptions (schema: Schema): Parameter[] {
  return Object.entries(optionsOf(schema)).map(([name, { description = '', ...rest }]) => ({
    name,
    in: 'query',
    required: false,
    description: `${description}. Here or in the body, not in both${
      schema.required?.includes(name) ? '; in one of them it is required' : ''
    }`,
    schema: rest
  }))
}

function imageForm (schema: Schema, image: Schema): Schema {
  const required = schema.required?.filter(name => name !== 'image') ?? []
  return { properties: { image, ...optionsOf(schema) }, required: ['image', ...required] }
}

function promptForm (schema: Schema, image: Schema): Schema {
  const { prompt = {}, ...options } = optionsOf(schema)
  return {
    properties: {
      image: {
        type: 'array',
        items: image,
        description: 'Pictures of the prompt; they and its texts keep their order'
      },
      prompt: { type: 'array', items: prompt, description: 'Texts of the prompt' },
      ...options
    },
    anyOf: [{ required: ['image'] }, { required: ['prompt'] }]
  }
}

const promptExample = { image: [exampleImage], prompt: ['on a blue background'], seed: 7 }

/** All fields but the picture; of a prompt the text alone. */
function optionsOf ({ properties = {} }: Schema): Record<string, Schema> {
  const { image: _image, visual_tokens: _visualTokens, ...options } = properties
  const text = options.prompt?.anyOf?.find(({ type }) => type === 'string')
  return text ? { ...options, prompt: text } : options
}
