/** What crosses the pipe between the server process and an engine process. Types only: both sides import this. */
import type { Manifest } from '../package/manifest.ts'
import type { Trouble } from './trouble.ts'
import type { PaintResult, Part, TextResult, TokenizeResult, Work } from './work.ts'

/** Of what crosses the pipe. */
export type Direction = 'to_engine' | 'from_engine'

export type Device = 'cpu' | 'webgpu'

/**
 * Milliseconds spent in each stage of one request from its sending on, for `Server-Timing`; `queue` is all time without
 * a unit of its own, and `start` the part of it before the first one.
 */
export type Timings = { start: number; queue: number; encode: number; prefill: number; decode: number; paint: number }

export type Stage = 'encode' | 'prefill' | 'decode' | 'paint'

/**
 * How a request went in the engine: milliseconds since it was sent, in all and from the first unit of each stage to
 * the end of its last one; and how many visual tokens stayed of each picture that it looked at.
 */
export type Course = {
  ms: number
  phases: Partial<Record<Stage, { from: number; to: number; units: number }>>
  kept: number[]
}

/**
 * What is to be expected of a request that an engine took: how many of those that have not begun come before it, and
 * milliseconds from its sending to its first unit.
 */
export type StartOutlook = { ahead: number; startMs: number }

/** What the engine counts, sent with every report; feeds the metrics. */
export type EngineCounts = {
  waiting: number
  running: number
  slotsInUse: number
  queuedCost: number
  units: { kind: Stage; rows: number; seconds: number }[] // since the last report
  bus?: BusReport | undefined // on a device that has memory of its own
}

/** Bytes that went to the device and came from it since the last report, and what the engine holds on it now. */
export type BusReport = { up: number; down: number; buffers: number; held: number }

/** Where keys and values lie, and why not on the device. */
export type CachePlace = { cache: 'host' | 'device'; reason?: string | undefined }

/** What an engine that can begin says of itself; where its cache lies, if it runs on a GPU. */
export type Opened = { device: string } & Partial<CachePlace>

export type ToEngine =
  | {
    kind: 'open'
    folder: string
    manifest: Manifest
    device: Device
    threads: number
    slots: number
    queueLimit: number
    queueCost: number
    /** Memory for keys and values of pictures that prompts begin with; none where it is not given. */
    prefixBytes?: number
    /** The device has no half precision in its shaders. */
    lacksHalf?: boolean
  }
  | { kind: 'try'; device: Device } // in place of `open`: whether the device runs anything
  // followed: parts are sent as they come; bulk: it yields to all that is not; clients take turns; sentAt by machineMs
  | {
    kind: 'submit'
    id: number
    work: Work
    isFollowed: boolean
    isBulk: boolean
    client: string
    sentAt: number
  }
  | { kind: 'cancel'; id: number }
  | { kind: 'ping' } // answered by a pong, between two units of work
  | { kind: 'close' }

export type FromEngine =
  | ({ kind: 'ready' } & Opened)
  // could not open: in own words, and in those of the runtime
  | { kind: 'failed'; reason: string; detail: string; trouble?: Trouble | undefined }
  | { kind: 'tried'; f16: boolean; fault: string | null }
  | { kind: 'trouble'; trouble: Trouble; detail: string } // nothing can run any more, and it waits for its end
  // before its first part: this request and all before it are read from the pipe, and die with the engine
  | { kind: 'placed'; id: number; outlook: StartOutlook }
  | { kind: 'begun'; ids: number[]; stage: Stage } // their first unit of this stage runs
  | { kind: 'part'; id: number; part: Part }
  | { kind: 'done'; id: number; result: TokenizeResult | TextResult | PaintResult; timings: Timings; course: Course }
  | { kind: 'error'; id: number; code: string; detail: string; retryAfterSeconds?: number }
  | { kind: 'cancelled'; id: number }
  | { kind: 'counts'; counts: EngineCounts }
  | { kind: 'pong' }
