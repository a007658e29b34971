export { createClient, type Client } from './client.ts'
export { LavitError, type LavitErrorCode } from './error.ts'
export { bytesOf, type Picture, type PictureFile } from './pictures.ts'
export type * from './types.ts'
export type {
  CaptionResponse, EstimateResponse, FieldError, GeneratedImage, GeneratedText, Health, ImagesResponse, ModelDetails,
  ModelList, ModelSummary, PreviewEvent, Problem, QueuedEvent, StepEvent, TokenEvent, TokenizeResponse,
  VisualTokenEvent, VqaResponse, Warning
} from './schema.ts'
