/** What the registry tells of its models. */
import { Type, type Static } from 'typebox'
import { Grid, ref, strict } from './common.ts'

const summary = {
  name: Type.String({ description: 'What requests call it in `model`' }),
  family: Type.String({ description: 'The kind of model' }),
  version: Type.String({ description: 'Of the model package' }),
  state: Type.Enum(['unloaded', 'loading', 'ready', 'restarting', 'failed'], {
    description: 'Whether it can answer; a model that is `unloaded` is loaded by the first request that names it'
  }),
  device: Type.String({ description: 'Where it runs; while it is not loaded, where it may' }),
  placement: Type.Object(
    {
      wanted: Type.String({ description: 'Devices that it may run on, in order, as `LAVIT_DEVICE` names them' }),
      device: Type.Union([Type.String(), Type.Null()], { description: 'The one that it runs on' }),
      host_bytes: Type.Integer({ description: 'Memory of the host that its engines are taken to need' }),
      device_bytes: Type.Integer({ description: 'Memory of a device that has its own' }),
      reason: Type.Union([Type.String(), Type.Null()], {
        description: 'Why it does not run on an earlier device of the list'
      })
    },
    { ...strict, description: 'Which device has it, what it is taken to need there, and why it is there' }
  )
}

const example = {
  name: 'lavit-mini',
  family: 'lavit',
  version: '1.0.0',
  state: 'ready',
  device: 'cpu',
  placement: { wanted: 'cpu', device: 'cpu', host_bytes: 244_318_208, device_bytes: 0, reason: null }
}

export const ModelSummary = Type.Object(summary, {
  ...strict,
  $id: 'ModelSummary',
  description: 'One model in short',
  examples: [example]
})

export const ModelDetails = Type.Object(
  {
    ...summary,
    detail: Type.Union([Type.String(), Type.Null()], { description: 'Why the model failed, if it did' }),
    description: Type.Optional(Type.String({ description: 'What the model is' })),
    limits: Type.Optional(
      Type.Object(
        {
          image_size: Type.Integer({ description: 'Side of the square that pictures are squashed to' }),
          grid: ref(Grid),
          min_visual_tokens: Type.Integer({ description: 'The best-scored patches of a picture that always stay' }),
          codebook_size: Type.Integer({ description: 'Visual tokens are below this' }),
          max_length: Type.Integer({ description: 'Tokens of prompt and answer together' }),
          sizes: Type.Array(Type.String(), { description: 'Of painted pictures; none where the model cannot paint' }),
          max_steps: Type.Integer({ description: 'Most paint steps' })
        },
        { ...strict, description: 'What a request can ask of it' }
      )
    ),
    tasks: Type.Optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), { description: 'Defaults of each task' })
    ),
    digests: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'SHA-256 of each file' })),
    quality: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Measured quality' })),
    familiarity: Type.Optional(
      Type.Object(
        {
          threshold: Type.Number({
            minimum: 0,
            maximum: 1,
            description: 'Answers about a picture below it come with the warning `outside_domain`'
          }),
          quality: Type.Record(Type.String(), Type.Unknown(), {
            description: 'How often known things are warned of, and how well other pictures are told apart, by source'
          })
        },
        { ...strict, description: 'Of a model of a closed domain: how it judges pictures that it may not know' }
      )
    ),
    concepts: Type.Optional(Type.Array(Type.String(), { description: 'What a model of a closed domain knows by name' }))
  },
  {
    ...strict,
    $id: 'ModelDetails',
    description: 'One model in full',
    examples: [
      {
        ...example,
        detail: null,
        description: 'A small LaVIT, trained from scratch',
        limits: {
          image_size: 96,
          grid: { rows: 8, columns: 8 },
          min_visual_tokens: 4,
          codebook_size: 4096,
          max_length: 256,
          sizes: ['128x128'],
          max_steps: 50
        },
        tasks: { caption: { num_beams: 2 } },
        digests: { 'vision.onnx': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
        quality: {},
        familiarity: { threshold: 0.33, quality: { false_warnings: { unseen_art: 0.033 } } },
        concepts: ['apple', 'dog']
      }
    ]
  }
)

export const ModelList = Type.Object(
  {
    default: Type.String({ description: 'The model that answers when a request names none' }),
    models: Type.Array(ref(ModelSummary), { description: 'Every model package that the server found' })
  },
  {
    ...strict,
    $id: 'ModelList',
    description: 'Which models there are',
    examples: [{ default: 'lavit-mini', models: [example] }]
  }
)

export type ModelSummary = Static<typeof ModelSummary>
export type ModelDetails = Static<typeof ModelDetails>

export const modelSchemas = [ModelSummary, ModelDetails, ModelList]
