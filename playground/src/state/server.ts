/** Whether the server and its model can be asked, followed for as long as the page is open. */
import { computed, signal } from '@preact/signals'
import type { ModelDetails, ModelSummary } from '../../../src/schemas/models.ts'
import type { Option } from '../pure/call.ts'
import { digestOf } from '../pure/model-name.ts'
import { ask, askJson, Problem } from '../server/ask.ts'

/** `locked`: it asks for a key; `busy`: it is there, and its model is not ready. */
export type Phase = 'connecting' | 'ready' | 'busy' | 'failed' | 'gone' | 'locked'

/** Problems of a job that say how the server is. */
const telling = ['gone', 'unauthorized', 'model_loading', 'engine_restarting', 'draining']
const restMs = { ready: 5000, other: 1000 }

export const phase = signal<Phase>('connecting')
export const why = signal('')
export const model = signal<ModelDetails | undefined>(undefined)
/** Names of all models, and the one that answers when a request names none. */
export const names = signal<string[]>([])
const ofServer = signal('')

/** What a request says of the model: nothing of the server's own. */
export const modelOption = computed((): Record<string, Option> => {
  const { name } = modelName.value
  return name === '' || name === ofServer.value ? {} : { model: name }
})

export const grid = computed(() => model.value?.limits?.grid ?? { rows: 8, columns: 8 })
export const patches = computed(() => grid.value.rows * grid.value.columns)
export const least = computed(() => model.value?.limits?.min_visual_tokens ?? 0)
export const modelName = computed(() => ({
  name: model.value?.name ?? '',
  version: model.value?.version ?? '',
  digest: digestOf(model.value?.digests ?? {})
}))

let timer: ReturnType<typeof setTimeout> | undefined
let looks = 0
let waiting: (() => void)[] = []

/** Looks now, and again and again. */
export async function look (): Promise<void> {
  clearTimeout(timer)
  const mine = ++looks
  try {
    await ask('health/ready')
    if (!model.value || phase.value !== 'ready') await readModel()
    if (mine === looks) tell('ready', '')
  } catch (error) {
    if (mine === looks) tellProblem(error)
  }
  if (mine === looks) timer = setTimeout(look, phase.value === 'ready' ? restMs.ready : restMs.other)
}

/** Until the model is ready. */
export function untilReady (signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (phase.value === 'ready' || signal.aborted) return resolve()
    waiting.push(resolve)
    signal.addEventListener('abort', () => resolve())
  })
}

/** What a job met tells of the server, too. */
export function noteProblem (error: unknown): void {
  if (error instanceof Problem && telling.includes(error.code)) {
    tellProblem(error)
    clearTimeout(timer)
    timer = setTimeout(look, restMs.other)
  }
}

/** This model answers from now on, the server's own where none is named; it is loaded when it is first asked. */
export async function chooseModel (name: Option = ofServer.value): Promise<void> {
  const found = names.value.find(each => each === name)
  if (found !== undefined && found !== modelName.value.name) await describeModel(found)
}

async function readModel () {
  const list = await askJson<{ default: string; models: ModelSummary[] }>('models')
  names.value = list.models.map(({ name }) => name)
  ofServer.value = list.default
  const chosen = modelName.value.name
  await describeModel(names.value.includes(chosen) ? chosen : list.default)
}

async function describeModel (name: string) {
  model.value = await askJson<ModelDetails>(`models/${encodeURIComponent(name)}`)
}

function tellProblem (error: unknown) {
  if (!(error instanceof Problem)) throw error
  const phases: Record<string, Phase> = {
    gone: 'gone', unauthorized: 'locked', forbidden: 'locked', model_unavailable: 'failed'
  }
  tell(phases[error.code] ?? 'busy', error.message)
}

function tell (next: Phase, detail: string) {
  why.value = detail
  phase.value = next
  if (next !== 'ready') return
  for (const resolve of waiting) resolve()
  waiting = []
}
