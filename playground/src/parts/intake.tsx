/** Every way for a picture to come in: dropped or pasted anywhere, chosen, photographed, or one of the samples. */
import { useRef } from 'preact/hooks'
import { openDialog } from '../state/dialogs.ts'
import { notice, openSample, takeFile } from '../state/files.ts'
import { picture } from '../state/picture.ts'
import { samples } from '../state/samples.ts'

export function Intake () {
  const file = useRef<HTMLInputElement>(null)
  const choose = async () => {
    const [chosen] = file.current?.files ?? []
    if (chosen) await takeFile(chosen, chosen.name)
    if (file.current) file.current.value = '' // the same file may be chosen again
  }
  return (
    <div class={picture.value ? 'intake' : 'intake first'}>
      <div class='ways'>
        <button type='button' class='strong' id='choose-file' onClick={() => file.current?.click()}>
          Choose a picture
        </button>
        <input ref={file} type='file' accept='image/*' hidden onChange={choose} aria-label='Picture file' />
        {navigator.mediaDevices && (
          <button type='button' onClick={() => openDialog('camera')}>Camera</button>
        )}
        <span class='quiet'>or drop or paste one anywhere, or take one of these:</span>
      </div>
      <ul class='samples'>
        {samples.map(({ file: name, url, says }) => (
          <li key={name}>
            <button type='button' class='sample' title={says} onClick={() => openSample(url, name)}>
              <img src={url} alt={says} width='288' height='288' loading='lazy' />
            </button>
          </li>
        ))}
      </ul>
      <p class='notice' role='status'>{notice.value}</p>
    </div>
  )
}
