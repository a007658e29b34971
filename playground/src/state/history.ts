/** What was asked in this browser: kept here alone, in IndexedDB, until it is deleted. */
import { computed, signal } from '@preact/signals'
import { openDB } from 'idb'
import type { Call } from '../pure/call.ts'
import { isRun, readHistory, writeHistory, type Run } from '../pure/history-file.ts'
import { modelName } from './server.ts'

const store = 'runs'
const database = openDB('lavit-playground', 1, {
  upgrade: db => {
    db.createObjectStore(store, { keyPath: 'id' })
  }
})

/** Newest first. */
export const runs = signal<Run[]>([])
/** Ids of the two runs that stand side by side, in the order in which they were chosen. */
export const compared = signal<string[]>([])
/** What `forgetAll` took. */
export const forgotten = signal<Run[]>([])
export const pair = computed(() => compared.value.flatMap(id => runs.value.find(run => run.id === id) ?? []))

/** A browser that keeps nothing, as in private windows, has the runs of this visit. */
export async function openHistory (): Promise<void> {
  const kept: Run[] = await database.then(db => db.getAll(store), () => [])
  show([...kept.filter(isRun), ...runs.value])
}

type Told = { call: Call; answer: string; ms: number; picture?: string }

export async function remember ({ call, answer, ms, picture }: Told): Promise<void> {
  const { name, version } = modelName.value
  await keep([{
    id: crypto.getRandomValues(new Uint32Array(4)).join('-'),
    at: new Date().toISOString(),
    ms: Math.round(ms),
    model: { name, version },
    call,
    answer,
    ...(picture !== undefined && { picture })
  }])
}

export async function forget (id: string): Promise<void> {
  runs.value = runs.value.filter(run => run.id !== id)
  compared.value = compared.value.filter(other => other !== id)
  await database.then(db => db.delete(store, id), () => {})
}

/** Those of before can be kept again, until this page is left. */
export async function forgetAll (): Promise<void> {
  forgotten.value = runs.value
  runs.value = []
  compared.value = []
  await database.then(db => db.clear(store), () => {})
}

export function exportHistory (): string {
  return writeHistory(runs.value)
}

/** How many runs the text brought; nothing where it is no history. */
export async function importHistory (text: string): Promise<number | undefined> {
  const read = readHistory(text)
  if (read) await keep(read)
  return read?.length
}

/** The last two that were chosen stand side by side. */
export function toggleCompared (id: string): void {
  compared.value = compared.value.includes(id)
    ? compared.value.filter(other => other !== id)
    : [...compared.value, id].slice(-2)
}

export async function bringBack (): Promise<void> {
  const back = forgotten.value
  forgotten.value = []
  await keep(back)
}

async function keep (added: Run[]): Promise<void> {
  show([...added, ...runs.value])
  await database.then(async db => {
    for (const run of added) await db.put(store, run)
  }, () => {})
}

function show (all: Run[]) {
  const byId = new Map(all.map(run => [run.id, run]))
  runs.value = [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : -1))
}
