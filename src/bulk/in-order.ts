/** Work on many things at a time, its results in the order of the things. */

/** At most `width` are worked on; a result waits until those before it were taken. `work` must not reject. */
export async function * inOrder<Thing, Result> (
  things: Iterable<Thing> | AsyncIterable<Thing>,
  width: number,
  work: (thing: Thing) => Promise<Result>
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  for await (const thing of things) {
    running.push(work(thing))
    if (running.length < width) continue
    const first = running.shift()
    if (first) yield await first
  }
  for (const result of running) yield await result
}
