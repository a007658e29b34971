/** How much the picture is like what the model knows: told before anything that it says is believed. */
import type { TokenizeResponse } from '../../../src/schemas/tokenize.ts'
import { model } from '../state/server.ts'

export function Familiarity ({ answer: { familiarity, warnings = [] } }: { answer: TokenizeResponse }) {
  if (familiarity === undefined) return null
  const threshold = model.value?.familiarity?.threshold ?? 0
  return (
    <div class='familiarity'>
      <div class='gauge-line'>
        <span id='familiarity'>Familiarity</span>
        <span
          class={`gauge ${familiarity < threshold ? 'low' : ''}`}
          role='meter' aria-labelledby='familiarity' aria-valuemin={0} aria-valuemax={1}
          aria-valuenow={Number(familiarity.toFixed(3))}
        >
          <span class='fill' style={{ width: `${familiarity * 100}%` }} />
          <span class='mark' style={{ left: `${threshold * 100}%` }} />
        </span>
        <span class='number'>{familiarity.toFixed(2)}</span>
      </div>
      {warnings.map(({ code, detail }) => (
        <p key={code} class='warning' role='alert'>
          <b>Do not believe what follows.</b> {detail}.
        </p>
      ))}
    </div>
  )
}
