/** One style. Which folder may import which is held by test/layout.test.ts. */
import neostandard from 'neostandard'

export default [
  ...neostandard({
    ts: true,
    ignores: [
      '**/dist', '.tap', 'models/recipe', 'openapi/generators/generated', 'openapi/generators/compiled',
      'clients/typescript/src/schema.ts'
    ]
  }),
  // a schema and its type share a name; the compiler finds real clashes
  { rules: { '@stylistic/max-len': ['error', { code: 120 }], '@typescript-eslint/no-redeclare': 'off' } }
]
