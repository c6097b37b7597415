import { FlowersError } from '@flowers/shared/errors'
import { Command } from 'commander'
import { showWork } from '../report/bar.ts'
import { fromUser } from './paths.ts'

interface AuditArguments {
  data: string
  minimumSize: string
  json?: boolean
}

export function dataCommand(): Command {
  const audit = new Command('audit')
    .description('Look for what would spoil a training run: unreadable, truncated or tiny photos, and duplicates.')
    .requiredOption('--data <data>', 'a folder with a folder per class, one with train/ and valid/ of those, or a CSV')
    .option('--minimum-size <pixels>', 'a shorter side is reported', '32')
    .option('--json', 'print JSON instead of a text')
    .action(async (options: AuditArguments) => {
      const minimumSize = Number(options.minimumSize)
      if (!Number.isInteger(minimumSize) || minimumSize < 1)
        throw new FlowersError('USAGE', `--minimum-size takes a number of pixels, not "${options.minimumSize}"`)
      const { openDataset } = await import('../data/dataset.ts')
      const { auditDataset, formatAudit, requireSound } = await import('../data/audit.ts')
      const audit = await auditDataset(
        await openDataset(fromUser(options.data), { seed: 1, onProgress: showWork('reading photos') }),
        {
          minimumSize,
          onProgress: showWork('looking for flaws'),
        },
      )
      console.log(options.json ? JSON.stringify(audit, null, 2) : formatAudit(audit))
      requireSound(audit)
    })
  return new Command('data').description('Look at photos before training.').addCommand(audit)
}
