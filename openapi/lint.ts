/** Holds the committed documents against Redocly's recommended rules and Spectral's for OpenAPI; any finding fails. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createConfig, lint } from '@redocly/openapi-core'
import spectral from '@stoplight/spectral-core'
import { oas } from '@stoplight/spectral-rulesets'

const findings: string[] = []
for (const name of ['openapi.json', 'openapi.generators.json']) {
  const file = fileURLToPath(new URL(name, import.meta.url))
  findings.push(...(await lintByRedocly(file)), ...(await lintBySpectral(file)))
}
for (const finding of findings) console.error(finding)
process.exitCode = findings.length > 0 ? 1 : 0

async function lintByRedocly (file: string) {
  const problems = await lint({ ref: file, config: await createConfig({ extends: ['recommended'] }) })
  return problems.map(
    ({ ruleId, message, location }) => `${file}${location[0]?.pointer ?? ''} ${message} (redocly ${ruleId})`
  )
}

async function lintBySpectral (file: string) {
  const linter = new spectral.Spectral()
  linter.setRuleset({ extends: [[oas as spectral.RulesetDefinition, 'recommended']] })
  const problems = await linter.run(JSON.parse(readFileSync(file, 'utf8')))
  return problems.map(({ code, message, path }) => `${file}#/${path.join('/')} ${message} (spectral ${code})`)
}
