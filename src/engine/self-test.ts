/** What every graph gives at its first run must be numbers, and near those that the processor gives. */
import type { GraphName } from '../package/files.ts'
import type { Input, Output, Session, Value } from '../graphs/session.ts'

/** The graph does not compute on this device what it should. */
export class SelfTestError extends Error {}

type FirstRun = { graph: GraphName; inputs: Record<string, Input>; outputs: Record<string, Output> }

const nearFloats = 0.02 // of the largest value
const nearOthers = 0.05 // of the values may be others: codes where two are as near

export type SelfTest = ReturnType<typeof createSelfTest>

export function createSelfTest () {
  const runs: FirstRun[] = []

  return {
    /** The session, whose first run is checked, and kept to be compared. Rejects with a SelfTestError. */
    watch (graph: GraphName, session: Session, { isKept }: { isKept: boolean }): Session {
      let hasRun = false
      return {
        ...session,
        async run (inputs, names) {
          if (hasRun) return session.run(inputs, names)
          hasRun = true
          const kept = isKept ? structuredClone(hostInputs(inputs)) : undefined // some are windows on what changes
          const outputs = await session.run(inputs, names)
          checkFinite(graph, outputs)
          if (kept) runs.push({ graph, inputs: kept, outputs: dataOf(outputs) })
          return outputs
        }
      }
    },

    /** Runs what was kept again, on the sessions that `open` gives. Rejects with a SelfTestError. */
    async compare (open: (graph: GraphName) => Promise<Session>): Promise<void> {
      for (const { graph, inputs, outputs } of runs.splice(0)) {
        const session = await open(graph)
        const expected = await session.run(inputs, Object.keys(outputs)).finally(() => session.release())
        const isRanked = 'scores' in outputs
        for (const [name, output] of Object.entries(outputs)) {
          if (expected[name] && !isNear(output.data, expected[name].data, isRanked)) {
            throw new SelfTestError(`its graph ${graph} gives other values of ${name} than the processor`)
          }
        }
      }
    }
  }
}

/** Nothing where some lie on the device, where nothing is read. */
function hostInputs (inputs: Record<string, Value>): Record<string, Input> | undefined {
  const found: Record<string, Input> = {}
  for (const [name, input] of Object.entries(inputs)) {
    if ('onDevice' in input) return undefined
    found[name] = input
  }
  return found
}

/** Copies, since who gets the outputs may write into them. */
function dataOf (outputs: Record<string, Output>): Record<string, Output> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data, dims }]) => [name, { data: structuredClone(data), dims }])
  )
}

function checkFinite (graph: GraphName, outputs: Record<string, Output>): void {
  for (const [name, { data }] of Object.entries(outputs)) {
    if (data instanceof Float32Array && !data.every(Number.isFinite)) {
      throw new SelfTestError(`its graph ${graph} gives values of ${name} that are no numbers`)
    }
  }
}

/** Whole numbers that come by their scores, which are compared as well, may change places with the next. */
function isNear (data: Output['data'], expected: Output['data'], isRanked: boolean): boolean {
  if (data.length !== expected.length) return false
  if (data instanceof Float32Array && expected instanceof Float32Array) {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    return data.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= nearFloats * largest + 1e-6)
  }
  const found = Array.from(data, Number) // of 32 or 64 bits
  const wanted = Array.from(expected, Number)
  const others = isRanked ? countMissing(found, wanted) : found.filter((value, i) => value !== wanted[i]).length
  return others <= nearOthers * data.length
}

/** How many values have no partner in the others. */
function countMissing (values: number[], others: number[]): number {
  const left = new Map<number, number>()
  for (const value of others) left.set(value, (left.get(value) ?? 0) + 1)
  return values.filter(value => {
    const count = left.get(value) ?? 0
    left.set(value, count - 1)
    return count <= 0
  }).length
}
