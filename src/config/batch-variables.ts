/** Variables of `/v1/files` and `/v1/batches`. */
import { Type } from 'typebox'

export const batchVariables = {
  LAVIT_BATCH_DIR: Type.Optional(
    Type.String({
      allowed: 'a folder that can be written',
      description:
        'Folder of the files and batches of `/v1/files` and `/v1/batches` ([docs/batches.md](docs/batches.md)), made ' +
        'where there is none; relative to the package root; unset switches these routes off'
    })
  ),
  LAVIT_BATCH_FILE_BYTES: Type.Integer({
    default: 209_715_200,
    minimum: 1,
    maximum: 1_099_511_627_776,
    description: 'Bytes of one file of requests'
  }),
  LAVIT_BATCH_LINES: Type.Integer({
    default: 50_000,
    minimum: 1,
    maximum: 10_000_000,
    description: 'Requests in one file'
  }),
  LAVIT_BATCH_DISK_MB: Type.Integer({
    default: 10_240,
    minimum: 1,
    maximum: 1_073_741_824,
    description:
      'Disk in MiB for all files, results and batches in progress together, of which one client may have ' +
      '`LAVIT_CLIENT_SHARE`'
  }),
  LAVIT_BATCH_KEEP_HOURS: Type.Integer({
    default: 720,
    minimum: 1,
    maximum: 87_600,
    description:
      'Hours after which files, results and batches that have ended are removed, where no fewer are asked for'
  }),
  LAVIT_BATCH_IN_FLIGHT: Type.Integer({
    default: 16,
    minimum: 1,
    maximum: 10_000,
    description: 'Lines of all batches that are worked on at a time, all of them with the priority `bulk`'
  })
}
