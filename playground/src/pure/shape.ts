/** Whether values that come from files are calls; such files may be anything. */
import { routes, type Call, type Option, type Part, type Route, type StoredFile } from './call.ts'

export type Fields = Record<string, unknown>

export function isFields (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function parseFields (text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isCall (value: unknown): value is Call {
  return (
    isFields(value) &&
    isRoute(value.route) &&
    isFields(value.options) && Object.values(value.options).every(isOption) &&
    (value.image === undefined || isStoredFile(value.image)) &&
    (value.visual_tokens === undefined || isTokens(value.visual_tokens)) &&
    (value.prompt === undefined || typeof value.prompt === 'string' ||
      (Array.isArray(value.prompt) && value.prompt.every(isPart)))
  )
}

export function isTokens (value: unknown): value is number[] {
  return Array.isArray(value) && value.every(token => Number.isInteger(token) && token >= 0)
}

function isRoute (value: unknown): value is Route {
  return routes.some(route => route === value)
}

function isOption (value: unknown): value is Option {
  return typeof value === 'string' || typeof value === 'number'
}

function isStoredFile (value: unknown): value is StoredFile {
  return (
    isFields(value) && typeof value.file === 'string' && typeof value.base64 === 'string' &&
    typeof value.media_type === 'string' && /^image\/[\w.+-]+$/.test(value.media_type)
  )
}

function isPart (value: unknown): value is Part {
  if (!isFields(value)) return false
  if (value.type === 'text') return typeof value.text === 'string'
  if (value.type === 'image') return isStoredFile(value.image)
  return value.type === 'visual_tokens' && isTokens(value.visual_tokens)
}
