// The icon sets, train sets first, the two held-out ones last, and a reader for them.
import { readFileSync } from 'node:fs'

export const trainSets = ['noto', 'twemoji', 'fluent-emoji-flat', 'fluent-emoji', 'fluent-emoji-high-contrast', 'fxemoji', 'streamline-emojis', 'flat-color-icons']
export const heldOutSets = ['openmoji', 'emojione']
/** Sets trained on whose drawings come in other manners, too. */
export const restyledSets = ['noto', 'twemoji', 'fluent-emoji-flat', 'fxemoji']
/** And those that are drawn anew by other hands. */
export const redrawnSets = [...restyledSets, 'fluent-emoji']
export const sets = [...trainSets, ...heldOutSets]

const modules = new URL('node_modules/', import.meta.url)

export function readPackageJson (path, fallback) {
  try {
    return JSON.parse(readFileSync(new URL(path, modules), 'utf8'))
  } catch (error) {
    if (fallback === undefined || error.code !== 'ENOENT') throw error
    return fallback
  }
}

export function readSet (name) {
  return readPackageJson(`@iconify-json/${name}/icons.json`)
}

export function iconSvg (set, name, size, change = body => body) {
  const icon = set.icons[name]
  const width = icon.width ?? set.width ?? 16
  const height = icon.height ?? set.height ?? 16
  const box = `${icon.left ?? set.left ?? 0} ${icon.top ?? set.top ?? 0} ${width} ${height}`
  const scale = size / Math.max(width, height)
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${box}" width="${width * scale}" height="${height * scale}" color="#222">${change(icon.body.replaceAll('currentColor', '#222'), width)}</svg>`
}

/** Where drawings of other things come from; those held out are measured on and never trained on. */
export const outsideSets = [
  ...['noto', 'twemoji', 'fluent-emoji-flat'].map(name => ({ name, emoji: true, heldOut: false })),
  ...['fxemoji', 'healthicons', 'logos', 'circle-flags'].map(name => ({ name, emoji: false, heldOut: false })),
  { name: 'openmoji', emoji: true, heldOut: true },
  ...['emojione', 'game-icons', 'material-icon-theme', 'meteocons'].map(name => ({ name, emoji: false, heldOut: true }))
]
