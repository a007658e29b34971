/** A picture as the fragment of a link: its visual tokens, 16 bits each, and the model that they are words of. */
import { fromBase64Url, toBase64Url } from './base64.ts'
import { sameTokens, type ModelName } from './model-name.ts'

export type Shared = ModelName & { tokens: number[]; seed?: number }

const most = 4096

/** `#tokens=…&model=lavit-mini@0.7.0&seed=7`. A fragment stays in the browser: no server and no log sees it. */
export function writeLink ({ name, version, tokens, seed }: Shared): string {
  const bytes = new Uint8Array(tokens.length * 2)
  for (const [i, token] of tokens.entries()) bytes.set([token >> 8, token & 255], i * 2)
  const model = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`
  return `#tokens=${toBase64Url(bytes)}&model=${model}${seed === undefined ? '' : `&seed=${seed}`}`
}

/** Nothing where the fragment holds no picture. */
export function readLink (fragment: string): Shared | undefined {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''))
  const model = /^([^@]+)@([^@]+)$/.exec(fields.get('model') ?? '')
  const tokens = readTokens(fields.get('tokens') ?? '')
  const [, name, version] = model ?? []
  if (name === undefined || version === undefined || tokens === undefined) return undefined
  const seed = /^\d{1,10}$/.test(fields.get('seed') ?? '') ? Number(fields.get('seed')) : undefined
  return { name, version, tokens, ...(seed !== undefined && { seed }) }
}

function readTokens (text: string): number[] | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined
  try {
    const bytes = fromBase64Url(text)
    if (bytes.length % 2 !== 0 || bytes.length > most * 2) return undefined
    const view = new DataView(bytes.buffer)
    return Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(i * 2))
  } catch {
    return undefined
  }
}

/** What to say of a picture whose tokens may be words of another model; nothing where they mean the same. */
export function tellOther (shared: ModelName, served: ModelName): string | undefined {
  if (sameTokens(shared, served)) return undefined
  return (
    `This picture was written by ${shared.name} ${shared.version}, and here is ${served.name} ${served.version}: ` +
    'the same tokens may show something else'
  )
}
