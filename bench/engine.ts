/** The engine without server, pipe and HTTP, in this process: the ceiling of what a server around it can reach. */
import { join } from 'node:path'
import { decodePicture } from '../src/codecs/image.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import type { Manifest } from '../src/package/manifest.ts'
import { readManifest } from '../src/package/package.ts'
import type { EngineCounts, FromEngine } from '../src/pipe/messages.ts'
import type { Encoding, Work } from '../src/pipe/work.ts'
import { shareCores, thisMachine, type Share } from '../src/registry/cores.ts'

export const modelFolder = join(import.meta.dirname, '../models/lavit-mini')

const ownBytes = 2 ** 29 // more than the embedded model takes, and less than machines lack

/** Engines and threads of each, as the server has them by the same variables. */
export function engineShare (engineBytes = ownBytes): Share {
  const { LAVIT_ENGINES: engines, LAVIT_THREADS: threads } = process.env
  const asked = { engines: Number(engines ?? 0), threads: Number(threads ?? 0), device: 'cpu' }
  return shareCores(asked, thisMachine(), engineBytes)
}

type TextWork = Extract<Work, { task: 'text' }>

/** `onUnits` hears of every unit of work. */
export async function openBareEngine (
  threads: number,
  { folder = modelFolder, slots = 32, onUnits = () => {} }: {
    folder?: string
    slots?: number
    onUnits?: (units: EngineCounts['units']) => void
  } = {}
) {
  const manifest = readManifest(folder)
  const waiting = new Map<number, (end: FromEngine) => void>()
  let lastId = 0
  const batcher = await openEngine(
    {
      kind: 'open',
      folder,
      manifest,
      device: 'cpu',
      threads,
      slots,
      queueLimit: 1000,
      queueCost: 1e9
    },
    message => {
      if (message.kind === 'counts') onUnits(message.counts.units)
      if ('id' in message && message.kind !== 'placed') waiting.get(message.id)?.(message)
    }
  )
  return {
    manifest,
    /** The result, with what it took. Rejects where the engine refuses or fails. */
    async run (work: Work) {
      const id = ++lastId
      const end = await new Promise<FromEngine>(resolve => {
        waiting.set(id, resolve)
        batcher.submit(id, work)
      })
      waiting.delete(id)
      if (end.kind !== 'done') throw new Error(`the engine ends a ${work.task} with ${end.kind}`)
      return end
    }
  }
}

/** uint8 [3, size, size] of a picture file. */
export function readPixels (bytes: Uint8Array, { image: { size } }: Manifest): Promise<Uint8Array> {
  return decodePicture(bytes, size, { maxImageBytes: 1e8, maxImagePixels: 1e8, imageFormats: ['png', 'jpeg'] })
}

/** A caption as `POST /caption` asks for it: greedy with one beam. `tokens`: the text has exactly so many. */
export function captionWork (
  { ids, tasks: { caption } }: Manifest,
  seen: { pixels: Uint8Array } | { encoding: Encoding },
  { beams, kept, tokens }: { beams: number; kept?: number | undefined; tokens?: number }
): TextWork {
  const exactly = kept === undefined ? {} : { minVisualTokens: kept, maxVisualTokens: kept }
  const selection = { rule: 'threshold' as const, keepThreshold: 0.5, seed: 0, ...exactly }
  return {
    task: 'text',
    segments: [
      { kind: 'ids', ids: [ids.image_start] },
      { kind: 'features', picture: { ...seen, selection } },
      { kind: 'ids', ids: [ids.image_end] }
    ],
    sampling: {
      maxTokens: tokens ?? caption.max_tokens,
      minTokens: tokens ?? caption.min_tokens,
      temperature: 0,
      topP: 1,
      topK: 0,
      repetitionPenalty: 1,
      seed: 0
    },
    numBeams: beams,
    lengthPenalty: caption.length_penalty,
    earlyStopping: caption.early_stopping,
    n: 1
  }
}
