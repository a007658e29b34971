/** What lies over the page: help, the key, the camera. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { closeDialog, dialog, type DialogName } from '../state/dialogs.ts'
import { inPlaces, shortcuts, singleKeys } from '../state/shortcuts.ts'
import { Camera } from './camera.tsx'
import { Check } from './check.tsx'
import { KeyForm } from './key-form.tsx'

export function Dialogs () {
  switch (dialog.value) {
    case 'help':
      return <Dialog name='help' title='Keys'><Help /></Dialog>
    case 'key':
      return <Dialog name='key' title='Key of the server'><KeyForm /></Dialog>
    case 'camera':
      return <Dialog name='camera' title='Camera'><Camera /></Dialog>
    default:
      return null
  }
}

function Dialog ({ name, title, children }: { name: DialogName; title: string; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => element.current?.showModal(), [])
  return (
    <dialog ref={element} aria-labelledby={`${name}-title`} onClose={closeDialog}>
      <form method='dialog' class='dialog-head'>
        <h2 id={`${name}-title`}>{title}</h2>
        <button class='plain' aria-label='Close'>×</button>
      </form>
      {children}
    </dialog>
  )
}

function Help () {
  return (
    <>
      <Check label='Single keys' checked={singleKeys} />
      <dl class='keys'>
        {shortcuts.map(({ key, says }) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{says}</dd></div>)}
        {inPlaces.map(({ key, says }) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{says}</dd></div>)}
      </dl>
      <p>
        Drop a picture anywhere, or paste one. A picture that was painted here carries its recipe: dropped, it is
        painted again.
      </p>
    </>
  )
}
