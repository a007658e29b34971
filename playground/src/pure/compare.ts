/** What two runs were asked, side by side. */
import type { Call, Option } from './call.ts'
import type { Run } from './history-file.ts'
import { tellParts } from './tell-run.ts'

export type Difference = { name: string; left?: Option; right?: Option; differs: boolean }

/** What two runs were asked, side by side: options in order of their names, what differs marked. */
export function compare (left: Run, right: Run): Difference[] {
  const sides = [left, right].map(({ call, model }) => new Map<string, Option>([
    ['route', call.route],
    ['model', `${model.name} ${model.version}`],
    ...tellPrompt(call),
    ...Object.entries(call.options).sort(([a], [b]) => (a < b ? -1 : 1))
  ]))
  const names = [...new Set(sides.flatMap(side => [...side.keys()]))]
  return names.map(name => {
    const [a, b] = sides.map(side => side.get(name))
    return { name, ...(a !== undefined && { left: a }), ...(b !== undefined && { right: b }), differs: a !== b }
  })
}

function tellPrompt ({ image, prompt, visual_tokens: tokens }: Call): [string, Option][] {
  return [
    ...(image ? [['image', `${image.file}, ${image.base64.length} characters`] as [string, Option]] : []),
    ...(prompt === undefined ? [] : [['prompt', tellParts(prompt)] as [string, Option]]),
    ...(tokens ? [['visual_tokens', tokens.join(' ')] as [string, Option]] : [])
  ]
}
