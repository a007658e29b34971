/** What is told of jobs while they run: feeds the metrics. */

/** Where a job is. `load` waits for the model, `image` reads pictures, `answer` has what the engine made. */
export type JobStage = 'upload' | 'load' | 'image' | 'queue' | 'encode' | 'prefill' | 'decode' | 'paint' | 'answer'

export type Measures = {
  /**
   * Of an answer of an engine: from the request's arrival to the first token; from that to the last one, by steps; and
   * the visual tokens that stayed of each picture. No times where nothing was drawn.
   */
  observeAnswer: (
    labels: { model: string; task: string },
    seen: { firstTokenMs?: number; tokenMs?: number; kept: number[] }
  ) => void
  countPreview: (model: string) => void
  /** A picture was looked for among those seen before, by its name or by its pixels. */
  countLookup: (by: 'ref' | 'pixels', isHit: boolean) => void
}
