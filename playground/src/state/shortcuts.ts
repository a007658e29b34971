/** Keys of the whole page; in fields they write what they say. */
import { effect, signal } from '@preact/signals'
import { readKept, writeKept } from '../pure/kept.ts'
import { closeDialog, dialog, openDialog } from './dialogs.ts'
import { openSample } from './files.ts'
import { newSeed, painting } from './painting.ts'
import { choice, tokenizing } from './picture.ts'
import { answers, caption, describe } from './reading.ts'
import { samples } from './samples.ts'

const place = 'lavit-single-keys'
const storage = () => localStorage

/** Off, no key alone does anything outside fields: who dictates to the computer may press many. */
export const singleKeys = signal(readKept(storage, place) !== 'off')

effect(() => writeKept(storage, place, singleKeys.value ? '' : 'off'))

let sample = 0

export const shortcuts: { key: string; says: string; act: () => void }[] = [
  { key: '?', says: 'This list', act: () => openDialog('help') },
  { key: 'o', says: 'Choose a picture', act: () => document.querySelector<HTMLElement>('#choose-file')?.click() },
  { key: 's', says: 'The next sample', act: nextSample },
  { key: 'c', says: 'Describe the picture again', act: () => { describe() } },
  { key: 'q', says: 'To the question', act: () => focus('#question') },
  { key: '[', says: 'Lower the keep threshold: more patches stay', act: () => moveThreshold(-0.05) },
  { key: ']', says: 'Raise it: fewer stay', act: () => moveThreshold(0.05) },
  { key: 'p', says: 'To the prompt', act: () => focus('#prompt') },
  { key: 'n', says: 'A new seed, and paint', act: paintAnew },
  { key: 'h', says: 'To the history', act: () => focus('#history') }
]

/** Keys that the parts of the page know by themselves. */
export const inPlaces = [
  { key: '← → ↑ ↓', says: 'Move on a picture, among tokens, on the sheet of contents; Home and End to the ends' },
  { key: 'Enter', says: 'In the words of a prompt: paint. With Shift a new line' },
  { key: 'Esc', says: 'Stop what runs, or close this' }
]

export function listenToKeys (): void {
  document.addEventListener('keydown', event => {
    if (event.isComposing) return
    if (event.key === 'Escape' && dialog.value === undefined) return stopAll()
    if (!singleKeys.value || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return
    const found = shortcuts.find(({ key }) => key === event.key)
    if (!found || (dialog.value !== undefined && event.key !== '?')) return
    event.preventDefault()
    if (dialog.value !== undefined) closeDialog()
    else found.act()
  })
}

function stopAll () {
  for (const job of [painting, tokenizing, caption.value?.job, ...answers.value.map(({ job }) => job)]) job?.stop()
}

/** Where what is typed is written. */
export function isField (target: EventTarget | null) {
  if (target instanceof HTMLInputElement) return !['range', 'checkbox', 'button'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

function focus (selector: string) {
  const target = document.querySelector<HTMLElement>(selector)
  target?.scrollIntoView({ block: 'nearest' })
  target?.focus()
}

function moveThreshold (by: number) {
  const next = Math.round((choice.value.keepThreshold + by) * 100) / 100
  choice.value = { ...choice.value, keepThreshold: Math.min(1, Math.max(0, next)) }
}

/** By the button, which knows whether there is something to paint and whether the options can be. */
function paintAnew () {
  newSeed()
  document.querySelector<HTMLElement>('#paint-button')?.click()
}

function nextSample () {
  const next = samples[sample++ % samples.length]
  if (next) openSample(next.url, next.file)
}
