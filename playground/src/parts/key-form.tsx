/** Asks for the key of the server; it stays in this tab. */
import { key } from '../server/key.ts'
import { closeDialog } from '../state/dialogs.ts'
import { look } from '../state/server.ts'

const signs = '[\\s!-~]*' // what a header can carry

export function KeyForm () {
  const give = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget).get('key')
    key.value = typeof given === 'string' ? given.trim() : ''
    closeDialog()
    look()
  }
  return (
    <form class='key-form' onSubmit={give}>
      <label class='field tall'>
        Key
        <input
          name='key' type='password' autocomplete='off' pattern={signs} title='Letters, digits and signs of ASCII'
        />
      </label>
      <p class='quiet'>Kept until this tab is closed, and sent to this server alone. An empty one forgets it.</p>
      <button type='submit' class='strong'>Use it</button>
    </form>
  )
}
