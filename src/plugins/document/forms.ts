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

/** Options of one value that may stand in the query beside any body. */
export function queryOptions (schema: Schema): Parameter[] {
  const options = Object.entries(optionsOf(schema)).filter(([, { type }]) => isOfOneValue(type))
  return options.map(([name, { description = '', ...rest }]) => ({
    name,
    in: 'query',
    required: false,
    description: `${description}. Here or in the body, not in both${
      schema.required?.includes(name) ? '; in one of them it is required' : ''
    }`,
    schema: rest
  }))
}

/** Fields that need not be given may be null, which says the same. */
export function allowNulls (schema: Schema) {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const { type } = field
    if (typeof type !== 'string' || schema.required?.includes(name)) continue
    Object.assign(schema.properties ?? {}, {
      [name]: { ...field, type: [type, 'null'], ...(field.enum && { enum: [...field.enum, null] }) }
    })
  }
}

function isOfOneValue (type: Schema['type']) {
  return typeof type === 'string' && !['array', 'object'].includes(type)
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
