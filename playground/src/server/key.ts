/** The key of this tab: kept as long as the tab is open, and sent to this server alone. */
import { effect, signal } from '@preact/signals'
import { readKept, writeKept } from '../pure/kept.ts'

const place = 'lavit-key'
const storage = () => sessionStorage

export const key = signal(readKept(storage, place))

effect(() => writeKept(storage, place, key.value))
