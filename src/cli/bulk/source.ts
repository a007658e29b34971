/**
 * Who gives a worker its next shard. Shards may be given twice, to a worker that is slow and to one that takes over: a
 * shard's output appears once, whoever is first.
 */
export type ShardSource = {
  /** A shard to work on, or undefined when there is none left. Waits while others hold what is left. */
  next: () => Promise<Claim | undefined>
  /** The shards that this worker's end waits for. */
  shards: string[]
  close: () => Promise<void>
}

/** A shard that is held until its end. */
export type Claim = {
  shard: string
  /** Workers that held it and did not live to say how it ended, as far as is known. */
  deaths: number
  end: (isDone: boolean) => Promise<void>
}
