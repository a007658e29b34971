/** What is told of the devices that engines may run on. */
import { Type, type Static } from 'typebox'
import { ref, strict } from './common.ts'

const unknown = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(
  schema: T,
  description: string
) => Type.Union([schema, Type.Null()], { description })

export const DeviceState = Type.Object(
  {
    id: Type.String({ description: 'What `LAVIT_DEVICE` calls it' }),
    kind: Type.Enum(['cpu', 'webgpu'], { description: 'How the runtime reaches it; `cpu` is the host' }),
    name: Type.String({ description: 'What it is' }),
    driver: unknown(Type.String(), 'Its driver, where one is known'),
    is_software: Type.Boolean({ description: 'A processor that plays a GPU: right, and slow' }),
    memory_bytes: unknown(Type.Integer(), 'All of its memory, where it is known'),
    largest_buffer_bytes: unknown(Type.Integer(), 'Largest piece of memory that a shader may read, where it is known'),
    f16: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'Whether its shaders know half precision; null where nobody has tried'
    }),
    fault: unknown(Type.String(), 'Why no engine can run on it'),
    budget_bytes: unknown(Type.Integer(), 'Memory that models may take there; null where nothing bounds it'),
    used_bytes: Type.Integer({ description: 'Memory that loaded models are taken to need there' }),
    free_bytes: unknown(Type.Integer(), 'What the budget has left'),
    models: Type.Array(Type.String(), { description: 'Models whose engines run on it' }),
    engines: Type.Integer({ description: 'How many engines run on it' })
  },
  {
    ...strict,
    $id: 'DeviceState',
    description: 'One device',
    examples: [
      {
        id: 'webgpu:0',
        kind: 'webgpu',
        name: 'NVIDIA L4',
        driver: 'NVIDIA 550.54.15',
        is_software: false,
        memory_bytes: 24_152_899_584,
        largest_buffer_bytes: 4_294_967_295,
        f16: true,
        fault: null,
        budget_bytes: 21_737_609_625,
        used_bytes: 62_914_560,
        free_bytes: 21_674_695_065,
        models: ['lavit-mini'],
        engines: 1
      }
    ]
  }
)

export const DeviceList = Type.Object(
  { devices: Type.Array(ref(DeviceState), { description: 'The host first, then GPUs by their number' }) },
  { ...strict, $id: 'DeviceList', description: 'Devices that engines may run on' }
)

export type DeviceState = Static<typeof DeviceState>

export const deviceSchemas = [DeviceState, DeviceList]
