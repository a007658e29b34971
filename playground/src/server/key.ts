/** The key of this tab: kept as long as the tab is open, and sent to this server alone. */
import { effect, signal } from '@preact/signals'

const place = 'lavit-key'

export const key = signal(sessionStorage.getItem(place) ?? '')

effect(() => {
  if (key.value) sessionStorage.setItem(place, key.value)
  else sessionStorage.removeItem(place)
})
