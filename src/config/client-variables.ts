/** Variables of the command line `lavit`: they are no concern of the server, which must not take them for mistakes. */
export const clientVariables = {
  url: 'LAVIT_URL',
  key: 'LAVIT_KEY',
  inFlight: 'LAVIT_IN_FLIGHT',
  color: 'LAVIT_COLOR'
} as const
