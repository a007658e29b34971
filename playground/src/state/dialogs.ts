/** Which dialog is open. */
import { signal } from '@preact/signals'

export type DialogName = 'help' | 'key' | 'camera'

export const dialog = signal<DialogName | undefined>(undefined)

export function openDialog (name: DialogName): void {
  dialog.value = name
}

/** By the element itself, which gives the focus back to where it was. */
export function closeDialog (): void {
  document.querySelector('dialog')?.close()
  dialog.value = undefined
}
