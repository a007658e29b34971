/** Seeds that the server draws. */
import { randomInt } from 'node:crypto'

/** For a request without a seed. Half the range, so that the pictures of one request can count on from it. */
export function drawSeed () {
  return randomInt(2 ** 31)
}
