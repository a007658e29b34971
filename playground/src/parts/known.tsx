/**
 * What a model of a closed domain knows by name; a name that is chosen is added to the prompt. Its place is kept until
 * the model is known, so that nothing moves under a hand that is about to click.
 */
import { useSignal } from '@preact/signals'
import { addWords } from '../state/painting.ts'
import { model } from '../state/server.ts'

export function Known () {
  const isOpen = useSignal(false)
  const sought = useSignal('')
  const names = model.value?.concepts ?? []
  if (!model.value) return <p class='known' aria-hidden='true'>&nbsp;</p>
  if (names.length === 0) return null
  const found = names.filter(name => name.includes(sought.value.trim().toLowerCase()))
  return (
    <details class='known' onToggle={event => { isOpen.value = event.currentTarget.open }}>
      <summary>The {names.length} things that it knows</summary>
      {isOpen.value && (
        <>
          <input
            type='search' aria-label='Look for a thing' placeholder='look for one' value={sought.value}
            onInput={event => { sought.value = event.currentTarget.value }}
          />
          <ul class='names' tabIndex={0} aria-label='Things that the model knows'>
            {found.map(name => (
              <li key={name}><button type='button' class='plain' onClick={() => addWords(name)}>{name}</button></li>
            ))}
          </ul>
        </>
      )}
    </details>
  )
}
