/** Copies a text, and says so. */
import { useSignal } from '@preact/signals'
import { toClipboard } from '../state/clipboard.ts'

export function CopyButton ({ text, label }: { text: string; label: string }) {
  const said = useSignal('')
  const copy = async () => {
    said.value = await toClipboard(text) ? 'Copied' : 'Not allowed to copy'
    setTimeout(() => { said.value = '' }, 2000)
  }
  return (
    <button type='button' class='plain' onClick={copy}>
      <span aria-live='polite'>{said.value || label}</span>
    </button>
  )
}
