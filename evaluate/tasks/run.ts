/** What every task of the evaluation gets and gives. */
import { readFileSync } from 'node:fs'
import { each, interrupted, RequestError, type Client } from '../client.ts'
import { DataError } from '../data/files.ts'
import type { Figure } from '../metrics/bootstrap.ts'
import type { Options } from '../options.ts'

export type Run = Options & {
  client: Client
  /** What the server tells of the model (`GET /models/{name}`). */
  about: { name: string; concepts?: string[] }
  /** Ends the task early; what was not answered counts as failed. */
  signal: AbortSignal
  /** Says how far the task is. */
  progress(done: number, of: number): void
}

/** One item of the data set: what was answered and how it scored, or the error of its request. */
export type ItemRecord = { id: number; error?: string } & { [field: string]: unknown }

export type Outcome = { figures: { [name: string]: Figure }; records: ItemRecord[] }

/**
 * Sends one request for each item, and keeps apart what was answered and what failed. `keep` makes of an answer what is
 * needed of it, so that a long run does not hold every picture. `missed` are the items that failed, but for those that
 * an interruption left; `score` stands in their records.
 */
export async function askEach<Item extends { id: number }, Answer, Kept> (
  run: Run,
  items: Item[],
  path: string,
  body: (item: Item, index: number) => object,
  keep: (answer: Answer, item: Item) => Kept | Promise<Kept>,
  score: Partial<ItemRecord> = {}
): Promise<{ answered: (Kept & { item: Item })[]; failed: ItemRecord[]; missed: Item[] }> {
  if (items.length === 0) throw new DataError(`${run.source.folder} holds nothing to ask about`)
  let done = 0
  const results = await each(
    items,
    run.concurrency,
    async (item, index) => {
      if (run.signal.aborted) throw new RequestError(interrupted)
      const answer = await run.client.post(path, {
        ...(run.model !== undefined && { model: run.model }),
        ...body(item, index),
        ...run.request
      })
      const kept: Kept = await keep(answer as Answer, item)
      return { ...kept, item }
    },
    () => run.progress(++done, items.length)
  )
  const answered = results.flatMap(result => (result instanceof RequestError ? [] : [result]))
  const failed: ItemRecord[] = []
  const missed: Item[] = []
  for (const [i, result] of results.entries()) {
    const item = items[i]
    if (item === undefined || !(result instanceof RequestError)) continue
    const isMissed = result.message !== interrupted
    if (isMissed) missed.push(item)
    failed.push({ id: item.id, ...(isMissed && score), error: result.message })
  }
  return { answered, failed, missed }
}

/** The seed of a request: another one for each item, the same in every run. */
export function seedOf ({ seed }: Run, index: number): number {
  return (seed * 1_000_003 + index) % 2 ** 32
}

export function base64 (file: string): string {
  return readPicture(file).toString('base64')
}

/** Where the picture cannot be read, its item fails and no other. */
export function readPicture (file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new RequestError(`${file} cannot be read`, { cause })
  }
}
