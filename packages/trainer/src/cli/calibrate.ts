import { dirname } from 'node:path'
import { Command } from 'commander'
import { showWork } from '../console/bar.ts'
import { requireWritable } from '../console/output.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { modelHelp } from './options.ts'
import { fromUser } from '../console/paths.ts'

interface CalibrateArguments {
  model: string
  data: string
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      'Fit temperatures, sets, abstention and the views of fast of a model anew, on photos of its classes; its manifest and card say so. The network stays as it is.',
    )
    .requiredOption('--model <model>', modelHelp)
    .requiredOption(
      '--data <data>',
      'the photos, in any of the forms that train takes; half of their split valid is fitted on, the rest measured',
    )
    .action(async (options: CalibrateArguments) => {
      const { calibrateModel } = await import('../export/calibrate-model.ts')
      const { leftOut } = await import('../evaluate/evaluation-table.ts')
      const model = await modelFolder(options.model)
      // The folder is replaced as a whole.
      await requireWritable(dirname(model))
      const { section, excluded } = await calibrateModel({
        model,
        data: fromUser(options.data),
        onPhoto: showWork('scoring photos'),
        onPicture: showWork('scoring drawn pictures without a flower'),
      })
      if (excluded > 0) console.log(`${leftOut(excluded)}\n`)
      console.log(section)
    })
}
