/** What is asked and answered: the server's own types, with pictures in whatever form programs have them. */
import type {
  CaptionRequest, DetokenizeRequest, GenerateRequest, ImagesResponse, PreviewEvent, QueuedEvent, StepEvent, TextPart,
  TokenEvent, TokenizeRequest, VisualTokenEvent, VisualTokensPart, VqaRequest
} from './schema.ts'
import type { Picture } from './pictures.ts'

export type PromptPart = TextPart | VisualTokensPart | { type: 'image'; image: Picture }

export type TokenizeInput = Omit<TokenizeRequest, 'image'> & { image: Picture }
export type DetokenizeInput = DetokenizeRequest
export type CaptionInput = Omit<CaptionRequest, 'image' | 'stream'> & { image?: Picture }
export type VqaInput = Omit<VqaRequest, 'image' | 'stream'> & { image?: Picture }
export type GenerateInput = Omit<GenerateRequest, 'prompt' | 'stream' | 'previews'> & { prompt: string | PromptPart[] }
/** One picture, which is the answer itself. */
export type GeneratePictureInput = Omit<GenerateInput, 'n'>
export type GenerateStreamInput = GenerateInput & Pick<GenerateRequest, 'previews'>

/** A job and what it would be asked. */
export type EstimateInput =
  | { job: 'tokenize'; request: TokenizeInput }
  | { job: 'detokenize'; request: DetokenizeInput }
  | { job: 'caption'; request: CaptionInput }
  | { job: 'vqa'; request: VqaInput }
  | { job: 'generate'; request: GenerateInput }

type Event<Name extends string, Data> = { event: Name; data: Data }

/** What a text tells while it is written; `done` comes last and holds the whole answer. */
export type TextEvent<Answer> = Event<'queued', QueuedEvent> | Event<'token', TokenEvent> | Event<'done', Answer>

/** What a picture tells while it is painted; `done` comes last and holds the whole answer. */
export type PictureEvent =
  | Event<'queued', QueuedEvent>
  | Event<'token', VisualTokenEvent>
  | Event<'preview', PreviewEvent>
  | Event<'step', StepEvent>
  | Event<'done', ImagesResponse>

/** One that is undefined is as one not given. */
export type CallOptions = {
  /** Ends the call; the server stops the work. */
  signal?: AbortSignal
  /**
   * Milliseconds for the whole call, its tries and pauses together; then it throws a `TimeoutError`. No more than 24
   * days are counted, also of `Infinity`.
   */
  timeoutMs?: number
  /** Tries after the first; those of the client if not given. */
  retries?: number
  /** Beside those of the client, or in their place. */
  headers?: Record<string, string>
}

export type ClientOptions = CallOptions & {
  /** Where the server is, below whatever path; in a browser also relative. `http://127.0.0.1:8080` if not given. */
  url?: string | URL
  /** Sent as bearer token: Latin-1, since a header holds nothing else, and no space around it. */
  apiKey?: string
  /** Longest pause, in seconds, that a `Retry-After` may ask for; what asks for more is thrown. 60 if not given. */
  longestPause?: number
  /** In place of the global `fetch`. */
  fetch?: typeof fetch
  /**
   * Sees every answer, those of failed tries too: its `x-request-id`, `Server-Timing` and `RateLimit`. What it throws
   * ends the call and reaches the caller as it is.
   */
  onResponse?: (response: Response) => void
}
