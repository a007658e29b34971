/** How long it takes, each time an engine was killed or made to hang, until another stands in its place. */
import { spreadOf } from '../statistics.ts'

/** `at` is in milliseconds of the epoch, as the log tells time. */
export type Death = { by: 'kill' | 'hang'; at: number }

/** Milliseconds to the first engine that was ready after it; nothing while there is none. One death comes at a time. */
export function recoveryOf ({ at }: Death, readyAt: readonly number[]): number | undefined {
  const ready = readyAt.find(time => time > at)
  return ready === undefined ? undefined : ready - at
}

export type Recoveries = { by: Death['by']; count: number; median: number; longest: number }

/** Seconds by what was done to the engine. What never came back took for ever. */
export function tellRecoveries (deaths: readonly Death[], readyAt: readonly number[]): Recoveries[] {
  return (['kill', 'hang'] as const).map(by => {
    const seconds = deaths
      .filter(death => death.by === by)
      .map(death => (recoveryOf(death, readyAt) ?? Infinity) / 1000)
    const { median, most: longest } = spreadOf(seconds)
    return { by, count: seconds.length, median, longest }
  })
}
