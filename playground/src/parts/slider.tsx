/** A number by a slider, with its value beside it. */

type Props = {
  label: string
  name: string
  least: number
  most: number
  step?: number
  value: number
  tell?: (value: number) => string
  onInput: (value: number) => void
}

export function Slider ({ label, name, least, most, step = 1, value, tell = String, onInput }: Props) {
  return (
    <label class='slider'>
      <span>{label}</span>
      <input
        type='range' name={name} min={least} max={most} step={step} value={value}
        onInput={event => onInput(event.currentTarget.valueAsNumber)}
      />
      <output class='number'>{tell(value)}</output>
    </label>
  )
}
