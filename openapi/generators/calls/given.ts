/** The server to call, and a picture of a dog above a rocket, in base64. */
import { readFileSync } from 'node:fs'

export const url = process.env.LAVIT_URL ?? ''
export const image = readFileSync('../../test/fixtures/scene.png').toString('base64')
