/** A part of a list, as OpenAI's clients walk through one. */
import { invalidField } from '../errors.ts'

/** What comes after the one of this name. Throws `invalid_field` where there is none. */
export function pageOf<Item extends { id: string }> (
  items: Item[],
  { after, limit }: { after?: string; limit: number }
) {
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1
  if (after !== undefined && start === 0) throw invalidField('/after', 'names nothing of this list')
  const data = items.slice(start, start + limit)
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < items.length
  }
}
