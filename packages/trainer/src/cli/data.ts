import { Command, Option } from 'commander'
import { phaseNames, type PhaseName } from '../recipe/schema.ts'
import { dirname } from 'node:path'
import { requireOutside, requireWritable, requireWritableFile } from '../console/output.ts'
import { showWork } from '../console/bar.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { resolveRecipe } from '../recipe/resolve-recipe.ts'
import { labelsCommand } from './labels.ts'
import { setOption, wholeNumber } from './options.ts'

interface AuditArguments {
  data: string
  minimumSize: string
  out?: string
  json?: boolean
}

interface PreviewArguments {
  data: string
  recipe: string
  phase: PhaseName
  set?: string[]
  out: string
}

export function dataCommand(): Command {
  const audit = new Command('audit')
    .description(
      'Look for what would spoil a training run: unreadable, truncated or tiny photos, copies and near-duplicates.',
    )
    .requiredOption('--data <data>', 'a folder with a folder per class, one with train/ and valid/ of those, or a CSV')
    .option('--minimum-size <pixels>', 'a shorter side is reported', '32')
    .option('--out <folder>', 'write two pictures there: photos a class (SVG), near-duplicates side by side (JPEG)')
    .option('--json', 'print JSON instead of a text')
    .action(async (options: AuditArguments) => {
      const minimumSize = wholeNumber('--minimum-size', options.minimumSize)
      if (options.out !== undefined) {
        await requireOutside(options.out, options.data)
        await requireWritable(fromUser(options.out))
      }
      const { openData } = await import('../dataset/open-data.ts')
      const { auditDataset, formatAudit, requireNoErrors } = await import('../dataset/audit.ts')
      const dataset = await openData(fromUser(options.data), { seed: 1 })
      const audit = await auditDataset(dataset, { minimumSize, onProgress: showWork('looking for flaws') })
      if (options.out !== undefined) {
        const { writeAuditPictures } = await import('../report/audit-pictures.ts')
        for (const path of await writeAuditPictures(fromUser(options.out), dataset, audit))
          console.error(`wrote ${toUser(path)}`)
      }
      console.log(options.json ? JSON.stringify(audit, null, 2) : formatAudit(audit))
      requireNoErrors(audit, { isListed: true })
    })
  const preview = new Command('preview')
    .description('Draw a contact sheet of training inputs as a recipe makes them: a row a photo, a column an epoch.')
    .requiredOption('--data <data>', 'the photos, in any of the forms that train takes')
    .option('--recipe <name|file>', 'whose augmentation', 'report')
    .addOption(new Option('--phase <phase>', 'of the recipe').choices([...phaseNames]).default('full'))
    .addOption(setOption('change a setting of the recipe'))
    .option('--out <png>', 'the picture to write', 'preview.png')
    .action(async ({ data, recipe: name, phase, set = [], out }: PreviewArguments) => {
      // Beside the folders of classes it is of none.
      if (dirname(fromUser(out)) !== fromUser(data)) await requireOutside(out, data)
      await requireWritableFile(fromUser(out))
      const recipe = await resolveRecipe(name, set)
      const { openData } = await import('../dataset/open-data.ts')
      const { writeContactSheet } = await import('../input/contact-sheet.ts')
      const dataset = await openData(fromUser(data), { seed: recipe.seed, validShare: recipe.data.validShare })
      await writeContactSheet(fromUser(out), dataset, {
        recipe,
        phase: recipe.phases[phase],
        rows: 8,
        columns: 8,
        onProgress: showWork('drawing epochs'),
      })
      console.log(`wrote ${toUser(fromUser(out))}`)
    })
  return new Command('data')
    .description('Look at photos before training.')
    .addCommand(audit)
    .addCommand(preview)
    .addCommand(labelsCommand())
}
