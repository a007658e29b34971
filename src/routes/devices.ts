/** Which devices engines may run on, and what lies there. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Registry } from '../registry/registry.ts'
import { ref } from '../schemas/common.ts'
import { DeviceList } from '../schemas/devices.ts'

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  app.get(
    '/devices',
    {
      schema: {
        operationId: 'listDevices',
        tags: ['models'],
        summary: 'Which devices models may run on',
        description:
          'The host, and the GPUs of the machine where `LAVIT_DEVICE` names any: what they are, what models are ' +
          'taken to need there, and what is left. GPUs are looked for once, which the first answer may wait for.',
        response: { 200: ref(DeviceList, 'The devices') }
      }
    },
    async () => ({ devices: await registry.listDevices() })
  )
}

export default routes
