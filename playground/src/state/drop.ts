/** Pictures that are dropped or pasted anywhere on the page. */
import { signal } from '@preact/signals'
import { takeFile } from './files.ts'
import { isField } from './shortcuts.ts'

/** Whether something that may be dropped is held over the page. */
export const isOver = signal(false)

export function listenToDrops (): void {
  document.addEventListener('dragover', event => {
    if (!event.dataTransfer?.types.includes('Files')) return // words may be dragged into fields
    event.preventDefault()
    isOver.value = true
  })
  document.addEventListener('dragleave', event => {
    if (event.relatedTarget === null) isOver.value = false
  })
  document.addEventListener('drop', event => {
    isOver.value = false
    if (takeFirst(event.dataTransfer)) event.preventDefault()
  })
  document.addEventListener('paste', event => {
    // of a table or a text both are copied, the words and their picture: a field takes the words
    if (isField(event.target) && event.clipboardData?.types.includes('text/plain')) return
    if (takeFirst(event.clipboardData)) event.preventDefault()
  })
}

function takeFirst (data: DataTransfer | null): boolean {
  const file = [...(data?.files ?? [])][0]
  if (file) takeFile(file, file.name || 'pasted.png')
  return file !== undefined
}
