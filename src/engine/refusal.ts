/** Why an engine cannot open a model, in own words, with what an operator can do about it. */
import { MisfitError, type Device } from '../graphs/session.ts'
import { troubleOf, wordsOf, type Trouble } from '../pipe/trouble.ts'
import { causesOf } from './failure.ts'
import { GraphError } from './open-engine.ts'

const known: [pattern: RegExp, reason: string][] = [
  [
    /failed to get a webgpu adapter|vkinstance|no (supported|suitable) adapter/i,
    'the runtime finds no GPU; is a Vulkan driver installed, and may this process use it?'
  ],
  [/shader-?f16|requires f16/i, 'its graphs need half precision in shaders (shader-f16), which the device lacks'],
  [
    /webgpu execution provider is not supported|unknown provider|provider .*not (available|enabled)/i,
    'the runtime has no WebGPU here'
  ]
]

export function refusalOf (error: unknown, device: Device): { reason: string; trouble: Trouble | undefined } {
  if (error instanceof MisfitError) return { reason: error.message, trouble: undefined }
  const text = causesOf(error)
  const trouble = device === 'cpu' ? undefined : troubleOf(text)
  const told = trouble === undefined ? known.find(([pattern]) => pattern.test(text))?.[1] : wordsOf[trouble]
  return { reason: told ?? ownWords(error, text, device), trouble }
}

function ownWords (error: unknown, text: string, device: Device): string {
  if (error instanceof GraphError) return `the engine cannot open its graph ${error.graph} on the device ${device}`
  const failing = /its graph \w+ gives [\w ]+$/.exec(text)?.[0] // of the self-test, which a first work may wrap
  if (failing !== undefined) return `${failing} on the device ${device}`
  return `the engine cannot run it on the device ${device}`
}
