/** What a model is doing, and the word for it. */
import type { OpenModel } from './open-model.ts'
import type { Pool } from './pool.ts'

export type ModelState = 'unloaded' | 'loading' | 'ready' | 'restarting' | 'failed'

export type Condition =
  | { is: 'unloaded' }
  | { is: 'loading'; loading: Promise<OpenModel>; stop: AbortController }
  | { is: 'loaded'; loaded: OpenModel }
  | { is: 'unloading'; pool?: Pool; unloading: Promise<void> }
  | { is: 'failed'; reason: string }

export function stateOf (condition: Condition): ModelState {
  switch (condition.is) {
    case 'loaded':
      return condition.loaded.pool.isReady() ? 'ready' : 'restarting'
    case 'unloading':
      return 'unloaded'
    default:
      return condition.is
  }
}
