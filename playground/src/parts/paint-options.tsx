/** Seed, and what else the painting takes; what is left empty is the model's own. */
import { newSeed, options, seed } from '../state/painting.ts'
import { model } from '../state/server.ts'

const largestSeed = 4_294_967_295

export function PaintOptions () {
  const { limits, tasks } = model.value ?? {}
  const own = tasks?.generate ?? {}
  const others = limits?.sizes.filter(size => size !== own.size) ?? []
  return (
    <div class='paint-options'>
      <label class='field'>
        Seed
        <input
          type='number' name='seed' min={0} max={largestSeed} step={1} value={seed.value} required
          onInput={event => { if (event.currentTarget.validity.valid) seed.value = event.currentTarget.valueAsNumber }}
        />
      </label>
      <button type='button' class='plain' onClick={newSeed}>New seed</button>
      <details onInvalidCapture={event => { event.currentTarget.open = true }}>
        <summary>Options</summary>
        <div class='fields'>
          <Numeric name='n' label='Pictures' least={1} most={8} own={1} />
          <Numeric name='guidance_scale' label='Guidance' least={1} most={100} step='any' own={own.guidance_scale} />
          <Numeric name='steps' label='Steps' least={0} most={limits?.max_steps ?? 1000} own={own.steps} />
          <Numeric name='temperature' label='Temperature' least={0} most={100} step='any' own={own.temperature} />
          <label class='field'>
            Size
            <select
              name='size' value={String(options.value.size ?? '')}
              onChange={event => change('size', event.currentTarget.value)}
            >
              <option value=''>{String(own.size ?? 'own')}</option>
              {others.map(size => <option key={size} value={size}>{size}</option>)}
            </select>
          </label>
        </div>
      </details>
    </div>
  )
}

type NumericProps = { name: string; label: string; least: number; most: number; step?: number | 'any'; own: unknown }

function Numeric ({ name, label, least, most, step = 1, own }: NumericProps) {
  return (
    <label class='field'>
      {label}
      <input
        type='number' name={name} min={least} max={most} step={step} placeholder={String(own ?? '')}
        value={options.value[name] ?? ''}
        onInput={({ currentTarget: { value, valueAsNumber, validity } }) => {
          if (validity.valid) change(name, value === '' ? '' : valueAsNumber)
        }}
      />
    </label>
  )
}

/** An option that is empty is not sent. */
function change (name: string, value: string | number) {
  const { [name]: _before, ...others } = options.value
  options.value = value === '' ? others : { ...others, [name]: value }
}
