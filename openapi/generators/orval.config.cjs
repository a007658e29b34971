module.exports = {
  lavit: {
    input: '../openapi.generators.json',
    output: { target: 'generated/orval/client.ts', client: 'fetch', baseUrl: process.env.LAVIT_URL }
  }
}
