/** Which errors the routes can answer, for the OpenAPI document. */
import type { ErrorCode } from '../errors.ts'

/** Of every job. */
export const jobErrors: ErrorCode[] = [
  'invalid_request', 'model_not_found', 'too_large', 'unsupported_media_type', 'invalid_field', 'queue_full',
  'model_loading', 'model_unavailable', 'engine_restarting', 'deadline_exceeded'
]

/** Of jobs that read pictures. */
export const pictureErrors: ErrorCode[] = ['image_ref_expired', 'image_unreadable', 'image_unreachable']
