/** Two runs side by side, with what they were asked differently marked. */
import type { ImagesResponse } from '../../../src/schemas/images.ts'
import { compare } from '../pure/compare.ts'
import type { Run } from '../pure/history-file.ts'
import { pictureOf, tellAnswer, tellAsked } from '../pure/tell-run.ts'
import { pair } from '../state/history.ts'

export function Comparison () {
  const [left, right] = pair.value
  if (!left || !right) return null
  return (
    <div class='comparison' role='region' aria-label='Two runs side by side'>
      <div class='sides'>
        <Side run={left} name='A' />
        <Side run={right} name='B' />
      </div>
      <table>
        <caption class='unseen'>What the two runs were asked</caption>
        <thead><tr><th scope='col'>Option</th><th scope='col'>A</th><th scope='col'>B</th></tr></thead>
        <tbody>
          {compare(left, right).map(({ name, left: a, right: b, differs }) => (
            <tr key={name} class={differs ? 'differs' : ''}>
              <th scope='row'>{name}{differs && <span class='unseen'> differs</span>}</th>
              <Cell value={a} differs={differs} />
              <Cell value={b} differs={differs} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Cell ({ value, differs }: { value: string | number | undefined; differs: boolean }) {
  const text = value ?? '–'
  return <td dir='auto'>{differs ? <mark>{text}</mark> : text}</td>
}

function Side ({ run, name }: { run: Run; name: string }) {
  const { images }: Partial<ImagesResponse> = JSON.parse(run.answer)
  return (
    <figure>
      <figcaption><b>{name}</b> <bdi>{tellAsked(run)}</bdi></figcaption>
      <div class='shots'>
        {images
          ? images.map(({ media_type: type, data, seed }) => (
            <img key={seed} src={`data:${type};base64,${data}`} alt={`Painted with seed ${seed}`} />
          ))
          : <img src={pictureOf(run)} alt='The picture that was asked about' />}
      </div>
      {!images && <p class='words' dir='auto'>{tellAnswer(run)}</p>}
      <p class='quiet'><span class='number'>{(run.ms / 1000).toFixed(2)}</span> s</p>
    </figure>
  )
}
