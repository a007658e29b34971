/** What was asked in this browser: kept here alone, in IndexedDB, until it is deleted. */
import { computed, signal } from '@preact/signals'
import { openDB, type IDBPDatabase } from 'idb'
import type { Call } from '../pure/call.ts'
import { isRun, readHistory, writeHistory, type Run } from '../pure/history-file.ts'
import { modelName } from './server.ts'

const store = 'runs'

/** Nothing in a browser that keeps nothing; where site data is forbidden, asking for it may throw at once. */
const database = Promise.resolve().then(() => openDB('lavit-playground', 1, {
  upgrade: db => {
    db.createObjectStore(store, { keyPath: 'id' })
  }
})).catch(() => undefined)

/** Newest first. */
export const runs = signal<Run[]>([])
/** Ids of the two runs that stand side by side, in the order in which they were chosen. */
export const compared = signal<string[]>([])
/** What `forgetAll` took. */
export const forgotten = signal<Run[]>([])
export const pair = computed(() => compared.value.flatMap(id => runs.value.find(run => run.id === id) ?? []))

/** Runs that the browser did not take: they last as long as the page, and are tried again when others are deleted. */
const unkept = signal<Run[]>([])
const refusal = signal('')
/** What the browser does not do; one that keeps nothing at all is no trouble. */
export const trouble = computed(() =>
  unkept.value.length > 0 ? 'This browser has no room for more; export, then delete' : refusal.value
)

/** A browser that keeps nothing, as in private windows, has the runs of this visit. */
export async function openHistory (): Promise<void> {
  let kept: unknown[] = []
  await attempt('read', async db => { kept = await db.getAll(store) })
  show([...kept.filter(isRun), ...runs.value])
}

type Told = { call: Call; answer: string; ms: number }

export async function remember ({ call, answer, ms }: Told): Promise<void> {
  const { name, version } = modelName.value
  await keep([{
    id: crypto.getRandomValues(new Uint32Array(4)).join('-'),
    at: new Date().toISOString(),
    ms: Math.round(ms),
    model: { name, version },
    call,
    answer
  }])
}

export async function forget (id: string): Promise<void> {
  await drop(runs.value.filter(run => run.id === id), db => db.delete(store, id))
}

/** Those of before can be kept again, until this page is left. */
export async function forgetAll (): Promise<void> {
  forgotten.value = runs.value
  if (!(await drop(runs.value, db => db.clear(store)))) forgotten.value = []
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
  await put(added)
}

async function put (added: Run[]) {
  const db = await database
  const puts = await Promise.allSettled(added.map(run => db?.put(store, run)))
  const refused = added.filter((run, i) => puts[i]?.status === 'rejected' && runs.value.includes(run))
  unkept.value = [...unkept.value.filter(run => !added.includes(run)), ...refused]
}

/** Out of sight at once, and back where the browser does not delete it. */
async function drop (gone: Run[], work: (db: IDBPDatabase) => Promise<void>): Promise<boolean> {
  runs.value = runs.value.filter(run => !gone.includes(run))
  compared.value = compared.value.filter(id => !gone.some(run => run.id === id))
  unkept.value = unkept.value.filter(run => !gone.includes(run))
  const isGone = await attempt('delete', work)
  if (!isGone) show([...gone, ...runs.value])
  await put(unkept.value)
  return isGone
}

/** Whether the browser did it. */
async function attempt (doing: string, work: (db: IDBPDatabase) => Promise<void>): Promise<boolean> {
  const db = await database
  try {
    if (db) await work(db)
    refusal.value = ''
    return true
  } catch {
    refusal.value = `This browser could not ${doing} what it keeps`
    return false
  }
}

function show (all: Run[]) {
  const byId = new Map(all.map(run => [run.id, run]))
  runs.value = [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : -1))
}
