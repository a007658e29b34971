/** A run of the history where it was made: its picture and words, or its row and what was painted. */
import { fromBase64 } from '../pure/base64.ts'
import type { Run } from '../pure/history-file.ts'
import { finish, painting, restoreCall } from './painting.ts'
import { choice } from './picture.ts'
import { readAgain } from './reading.ts'
import { chooseModel } from './server.ts'

/** A painted picture is shown as it was kept; a picture that was read is tokenized again. */
export async function showAgain ({ call, answer }: Run): Promise<void> {
  const { image, options } = call
  if (!image) {
    painting.stop()
    await restoreCall(call)
    finish(call, answer)
    document.querySelector('#paint')?.scrollIntoView()
    return
  }
  await chooseModel(options.model)
  choice.value = {
    keepThreshold: Number(options.keep_threshold ?? 0.5),
    minVisualTokens: Number(options.min_visual_tokens ?? 0),
    maxVisualTokens: Number(options.max_visual_tokens ?? Infinity)
  }
  document.querySelector('#read')?.scrollIntoView()
  const blob = new Blob([fromBase64(image.base64)], { type: image.media_type })
  await readAgain(blob, image.file, call, answer)
}
