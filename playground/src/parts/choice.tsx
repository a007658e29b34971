/** Which patches stay, by sliders: the browser follows the server's rule, and nothing is asked while they move. */
import { choice, isStale, kept, tokenize } from '../state/picture.ts'
import { least, patches } from '../state/server.ts'
import { useKeptFocus } from './beside.ts'
import { Slider } from './slider.tsx'

export function ChoiceSliders () {
  const { keepThreshold, minVisualTokens, maxVisualTokens } = choice.value
  const most = Math.min(maxVisualTokens, patches.value)
  const fewest = Math.max(minVisualTokens, least.value)
  const change = (part: Partial<typeof choice.value>) => { choice.value = { ...choice.value, ...part } }
  const line = useKeptFocus<HTMLParagraphElement>()
  return (
    <fieldset class='sliders'>
      <legend class='unseen'>Which patches stay</legend>
      <Slider
        label='Keep threshold' name='keep_threshold' least={0} most={1} step={0.01} value={keepThreshold}
        tell={value => value.toFixed(2)} onInput={value => change({ keepThreshold: value })}
      />
      <Slider
        label='At least' name='min_visual_tokens' least={least.value} most={patches.value} value={fewest}
        onInput={value => change({ minVisualTokens: value, maxVisualTokens: Math.max(value, maxVisualTokens) })}
      />
      <Slider
        label='At most' name='max_visual_tokens' least={Math.max(1, least.value)} most={patches.value} value={most}
        onInput={value => change({
          maxVisualTokens: value === patches.value ? Infinity : value,
          minVisualTokens: Math.min(value, minVisualTokens)
        })}
      />
      <p class='stale' ref={line} tabIndex={-1}>
        {isStale.value
          ? (
            <>
              <span>{kept.value} patches by this choice; their tokens are not asked for.</span>
              <button type='button' onClick={tokenize}>Ask for these tokens</button>
            </>
            )
          : <span class='quiet'>Moving a slider asks nothing of the server.</span>}
      </p>
    </fieldset>
  )
}
