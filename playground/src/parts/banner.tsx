/** What stands in the way of asking: a model that loads, a server that is gone, a key that is missing. */
import { openDialog } from '../state/dialogs.ts'
import { look, phase, why } from '../state/server.ts'
import { useKeptFocus } from './beside.ts'

export function Banner () {
  const place = useKeptFocus<HTMLDivElement>()
  return (
    <div class='banner-place' role='status' ref={place} tabIndex={-1}>
      {phase.value === 'busy' && (
        <p class='banner'>The model is not ready: {why.value}. The page goes on by itself as soon as it is.</p>
      )}
      {phase.value === 'failed' && <p class='banner bad'>The model cannot answer: {why.value}.</p>}
      {phase.value === 'gone' && (
        <p class='banner bad'>
          The server does not answer. The page asks again every second.
          <button type='button' onClick={look}>Ask now</button>
        </p>
      )}
      {phase.value === 'locked' && (
        <p class='banner'>
          This server asks for a key: {why.value}.
          <button type='button' onClick={() => openDialog('key')}>Give a key</button>
        </p>
      )}
    </div>
  )
}
