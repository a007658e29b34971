/** What every task of the evaluation gets and gives. */
import { readFileSync } from 'node:fs'
import { each, RequestError, type Client } from '../client.ts'
import type { Figure } from '../metrics/bootstrap.ts'
import type { Options } from '../options.ts'

export type Run = Options & {
  client: Client
  /** What the server tells of the model (`GET /models/{name}`). */
  about: { name: string; concepts?: string[] }
  /** Says how far the task is. */
  progress(done: number, of: number): void
}

/** One item of the data set: what was answered and how it scored, or the error of its request. */
export type ItemRecord = { id: number; error?: string } & { [field: string]: unknown }

export type Outcome = { figures: { [name: string]: Figure }; records: ItemRecord[] }

/**
 * Sends one request for each item, and keeps apart what was answered and what failed. `keep` makes of an answer what is
 * needed of it, so that a long run does not hold every picture.
 */
export async function askEach<Item extends { id: number }, Answer, Kept> (
  run: Run,
  items: Item[],
  path: string,
  body: (item: Item, index: number) => object,
  keep: (answer: Answer, item: Item) => Kept | Promise<Kept>
): Promise<{ answered: (Kept & { item: Item })[]; failed: ItemRecord[] }> {
  let done = 0
  const results = await each(
    items,
    run.concurrency,
    async (item, index) => {
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
  const failed = results.flatMap((result, i) =>
    result instanceof RequestError ? [{ id: items[i]!.id, error: result.message }] : []
  )
  return { answered, failed }
}

/** The seed of a request: another one for each item, the same in every run. */
export function seedOf ({ seed }: Run, index: number): number {
  return (seed * 1_000_003 + index) % 2 ** 32
}

export function base64 (file: string): string {
  return readFileSync(file).toString('base64')
}
