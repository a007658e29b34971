/** What the model says of the picture: a caption, and answers to questions, as they come. */
import { signal, type Signal } from '@preact/signals'
import type { CaptionResponse, VqaResponse } from '../../../src/schemas/understanding.ts'
import { bodyOf, type Call } from '../pure/call.ts'
import { follow, Problem } from '../server/ask.ts'
import { remember } from './history.ts'
import { createJob, type Job } from './job.ts'
import { choiceOptions, openPicture, picture, queryOf, tokenize, tokens, type Picture } from './picture.ts'

/** `text` as far as it has come, `answer` as the server wrote it in the end. */
export type Text = { job: Job; call: Call; text: Signal<string>; answer: Signal<string> }

export const beams = signal(1)
export const caption = signal<Text | undefined>(undefined)
export const answers = signal<Text[]>([])

const seed = 1

/** A new picture: its tokens, with how familiar it is, come before anything is said of it. */
export async function readPicture (blob: Blob, file: string): Promise<void> {
  await lookAt(blob, file)
  if (tokens.value && picture.value?.blob === blob) await describe()
}

/** A picture that was read before, with what was said of it then. */
export async function readAgain (blob: Blob, file: string, call: Call, answer: string): Promise<void> {
  await lookAt(blob, file)
  if (picture.value?.blob !== blob) return
  const text = textOf(call)
  show(text, answer)
  text.job.status.value = 'done'
  if (call.route === 'vqa') answers.value = [text]
  else caption.value = text
}

async function lookAt (blob: Blob, file: string): Promise<void> {
  caption.value?.job.stop()
  for (const { job } of answers.value) job.stop()
  caption.value = undefined
  answers.value = []
  await openPicture(blob, file)
  await tokenize()
}

export async function describe (): Promise<void> {
  const { value } = picture
  if (!value) return
  caption.value?.job.stop()
  const text = textOf({ route: 'caption', image: value.stored, options: optionsOf() })
  caption.value = text
  await write(text, value)
}

export async function answerQuestion (question: string): Promise<void> {
  const { value } = picture
  if (!value) return
  const text = textOf({ route: 'vqa', image: value.stored, options: { question, ...optionsOf() } })
  answers.value = [text, ...answers.value]
  await write(text, value)
}

function optionsOf () {
  return { ...choiceOptions.value, num_beams: beams.value, seed }
}

function textOf (call: Call): Text {
  return { job: createJob(), call, text: signal(''), answer: signal('') }
}

/** By the server's handle of the picture where it has one; the picture itself where the handle is gone. */
async function write (text: Text, { blob }: Picture): Promise<void> {
  await text.job.run(async abort => {
    const ref = tokens.value?.image_ref
    try {
      await take(text, ref === undefined ? bySending(text.call, blob) : byRef(text.call, ref), abort)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'image_ref_expired') throw error
      await take(text, bySending(text.call, blob), abort)
    }
  })
  if (text.job.status.value === 'done') {
    await remember({ call: text.call, answer: text.answer.value, ms: text.job.ms.value })
  }
}

type Sent = { path: string; init: RequestInit }

function byRef (call: Call, ref: string): Sent {
  const { image: _image, ...body } = bodyOf(call)
  const headers = { 'content-type': 'application/json' }
  return {
    path: call.route,
    init: { method: 'POST', headers, body: JSON.stringify({ image: { ref }, ...body, stream: true }) }
  }
}

function bySending (call: Call, blob: Blob): Sent {
  const headers = { 'content-type': call.image?.media_type ?? blob.type }
  return { path: queryOf(call, { stream: 'true' }), init: { method: 'POST', headers, body: blob } }
}

async function take (text: Text, { path, init }: Sent, signal: AbortSignal): Promise<void> {
  text.text.value = ''
  for await (const { event, data } of follow(path, { ...init, signal })) {
    if (event === 'token') text.text.value += JSON.parse(data).delta
    if (event === 'done') show(text, data)
  }
}

function show (text: Text, answer: string) {
  text.answer.value = answer
  text.text.value = textsOf(JSON.parse(answer))[0]?.text ?? ''
}

function textsOf (answer: CaptionResponse | VqaResponse) {
  return 'captions' in answer ? answer.captions : answer.answers
}
