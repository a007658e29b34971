/** What every task of the evaluation gets and gives. */
import { readFileSync } from 'node:fs'
import { each, RequestError, type Client } from '../client.ts'
import type { Figure } from '../metrics/bootstrap.ts'
import type { Options } from '../options.ts'

export type Run = Options & {
  client: Client
  /** What the server tells of the model (`GET /models/{name}`). */
  about: { name: string, concepts?: string[] }
  /** Says how far the task is. */
  progress (done: number, of: number): void
}

/** One item of the data set: what was answered and how it scored, or the error of its request. */
export type ItemRecord = { id: number, error?: string } & { [field: string]: unknown }

export type Outcome = { figures: { [name: string]: Figure }, records: ItemRecord[] }

/** Sends one request for each item, and keeps apart what was answered and what failed. */
export async function askEach<Item extends { id: number }, Answer> (run: Run, items: Item[], path: string, body: (item: Item, index: number) => object): Promise<{ answered: { item: Item, answer: Answer }[], failed: ItemRecord[] }> {
  let done = 0
  const results = await each(items, run.concurrency, async (item, index) => await run.client.post(path, {
    ...(run.model !== undefined && { model: run.model }),
    ...body(item, index),
    ...run.request
  }) as Answer, () => run.progress(++done, items.length))
  const failed: ItemRecord[] = []
  const answered: { item: Item, answer: Answer }[] = []
  results.forEach((answer, i) => {
    const item = items[i]!
    if (answer instanceof RequestError) failed.push({ id: item.id, error: answer.message })
    else answered.push({ item, answer })
  })
  return { answered, failed }
}

/** The seed of a request: another one for each item, the same in every run. */
export function seedOf ({ seed }: Run, index: number): number {
  return (seed * 1_000_003 + index) % 2 ** 32
}

export function base64 (file: string): string {
  return readFileSync(file).toString('base64')
}
