/**
 * Who gives a worker its next shard. Shards may be given twice, to a worker that is slow and to one that takes over: a
 * shard's output appears once, whoever is first.
 */
export type ShardSource = {
  /** A shard to work on, or undefined when all is done. Waits while others hold what is left. */
  next: () => Promise<Claim | undefined>
}

/** A shard that is held, until it is released. */
export type Claim = { shard: string; release: () => Promise<void> }
