/** Painting: a row of words, pictures and tokens, what the model draws of it as it comes, and painting its tokens. */
import { computed, signal } from '@preact/signals'
import type { ImagesResponse } from '../../../src/schemas/images.ts'
import { bodyOf, type Call, type Option, type Part } from '../pure/call.ts'
import { askText, follow } from '../server/ask.ts'
import { remember } from './history.ts'
import { createJob } from './job.ts'
import { chooseModel, model, modelOption } from './server.ts'

export type Row = { id: number; part: Part }
/** One picture on its way: its tokens so far, what it looks like so far, its steps, and in the end itself. */
export type Canvas = {
  tokens: number[]
  preview?: string
  step?: { done: number; of: number }
  picture?: ImagesResponse['images'][number]
}

const previews = 2
const firstPrompt = 'a rocket on a blue background'

let lastId = 0
export const row = signal<Row[]>([rowOf({ type: 'text', text: firstPrompt })])
export const seed = signal(7)
/** As given; what is left empty is the model's own. */
export const options = signal<Record<string, Option>>({})
export const painting = createJob()
export const position = signal<number | undefined>(undefined)
export const canvases = signal<Canvas[]>([])
/** The call whose pictures are shown, and the server's answer as it came. */
export const painted = signal<{ call: Call; answer: string } | undefined>(undefined)

export const nextCall = computed((): Call => ({
  route: 'generate',
  prompt: promptOf(row.value),
  options: { seed: seed.value, ...options.value, ...modelOption.value }
}))
export const isBlank = computed(() => row.value.every(({ part }) => part.type === 'text' && part.text.trim() === ''))
export const canPaint = computed(() => model.value === undefined || (model.value.limits?.sizes.length ?? 0) > 0)

export function rowOf (part: Part): Row {
  return { id: ++lastId, part }
}

export function newSeed (): void {
  seed.value = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}

/** Follows the pictures while they are drawn. */
export async function paint (call: Call = nextCall.value): Promise<void> {
  const count = Number(call.options.n ?? 1)
  begin(count)
  await painting.run(async abort => {
    begin(count)
    const body = JSON.stringify({ ...bodyOf(call), previews, stream: true })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: abort }
    for await (const { event, data } of follow('generate', init)) takeEvent(event, data, call)
  })
  await rememberPainted(call)
}

/** A call that paints tokens; with the seed of the page where they bring none. */
export function tokensCall (tokens: number[], ofTokens = seed.value, others: Call['options'] = {}): Call {
  return { route: 'detokenize', visual_tokens: tokens, options: { seed: ofTokens, ...others, ...modelOption.value } }
}

/** Paints tokens as they stand. */
export async function paintTokens (call: Call): Promise<void> {
  begin(1)
  change(0, { tokens: call.visual_tokens ?? [] })
  await painting.run(async abort => {
    const headers = { 'content-type': 'application/json' }
    const answer = await askText('detokenize', {
      method: 'POST', headers, body: JSON.stringify(bodyOf(call)), signal: abort
    })
    finish(call, answer)
  })
  await rememberPainted(call)
}

export function repaint (call: Call): Promise<void> {
  return call.route === 'detokenize' ? paintTokens(call) : paint(call)
}

function begin (count: number) {
  position.value = undefined
  painted.value = undefined
  canvases.value = Array.from({ length: count }, () => ({ tokens: [] }))
}

function takeEvent (event: string, data: string, call: Call) {
  const fields = JSON.parse(data)
  if (event === 'queued') position.value = fields.position
  if (event === 'token') {
    position.value = undefined
    change(fields.index, { tokens: [...(canvases.value[fields.index]?.tokens ?? []), fields.visual_token] })
  }
  if (event === 'preview') change(fields.index, { preview: `data:${fields.media_type};base64,${fields.data}` })
  if (event === 'step') change(fields.index, { step: { done: fields.step, of: fields.of } })
  if (event === 'done') finish(call, data)
}

/** Shows an answer as if it had just come. */
export function finish (call: Call, answer: string): void {
  const { images }: ImagesResponse = JSON.parse(answer)
  canvases.value = images.map(picture => ({ tokens: picture.visual_tokens, picture }))
  painted.value = { call, answer }
}

function change (index: number, part: Partial<Canvas>) {
  canvases.value = canvases.value.map((canvas, i) => (i === index ? { ...canvas, ...part } : canvas))
}

async function rememberPainted (call: Call) {
  if (painting.status.value !== 'done' || !painted.value) return
  await remember({ call, answer: painted.value.answer, ms: painting.ms.value })
}

function promptOf (rows: Row[]): string | Part[] {
  const parts = rows.map(({ part }) => part)
  const [only] = parts
  if (parts.length === 1 && only?.type === 'text') return only.text
  return parts.filter(part => part.type !== 'text' || part.text.trim() !== '')
}

/** Puts a call back where it is written: its row, its seed, its options. */
export async function restoreCall (call: Call): Promise<void> {
  const { seed: ofCall, model: ofOther, ...others } = call.options
  if (call.route === 'generate') {
    const { prompt = '' } = call
    row.value = (typeof prompt === 'string' ? [{ type: 'text' as const, text: prompt }] : prompt).map(rowOf)
    options.value = others
  }
  if (typeof ofCall === 'number') seed.value = ofCall
  await chooseModel(ofOther)
}

export function addPart (part: Part): void {
  row.value = [...row.value, rowOf(part)]
}

export function changePart (id: number, part: Part): void {
  row.value = row.value.map(each => (each.id === id ? { id, part } : each))
}

/** One place to the left or to the right. */
export function movePart (id: number, step: -1 | 1): void {
  const at = row.value.findIndex(each => each.id === id)
  const moved = row.value.toSpliced(at, 1)
  const part = row.value[at]
  if (part && at + step >= 0 && at + step <= moved.length) row.value = moved.toSpliced(at + step, 0, part)
}

export function dropPart (id: number): void {
  const rest = row.value.filter(each => each.id !== id)
  row.value = rest.length > 0 ? rest : [rowOf({ type: 'text', text: '' })]
}

/** Adds words to the last words of the row. */
export function addWords (words: string): void {
  const last = row.value.findLast(({ part }) => part.type === 'text')
  if (last?.part.type !== 'text') return addPart({ type: 'text', text: words })
  changePart(last.id, { type: 'text', text: `${last.part.text.trimEnd()} ${words}`.trimStart() })
}
