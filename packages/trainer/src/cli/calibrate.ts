import { dirname } from 'node:path'
import { Command } from 'commander'
import { showWork } from '../console/bar.ts'
import { requireWritable } from '../console/output.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { modelHelp, othersOption, refuseOption, rejectorOptions } from './options.ts'
import { fromUser } from '../console/paths.ts'

interface CalibrateArguments {
  model: string
  data: string
  others?: string
  refuse?: string
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      'Fit temperatures, sets, what refuses pictures of none of the classes, and the views of fast of a model anew, on photos of its classes; its manifest, its card and the output `known` of its network say so.',
    )
    .requiredOption('--model <model>', modelHelp)
    .requiredOption(
      '--data <data>',
      'the photos, in any of the forms that train takes; half of their split valid is fitted on, the rest measured; what refuses pictures is also fitted on their split train: without it nothing is refused',
    )
    .addOption(othersOption())
    .addOption(refuseOption())
    .action(async (options: CalibrateArguments) => {
      const { calibrateModel } = await import('../export/calibrate-model.ts')
      const { leftOut } = await import('../evaluate/evaluation-table.ts')
      const model = await modelFolder(options.model)
      // The folder is replaced as a whole.
      await requireWritable(dirname(model))
      const { section, excluded, warning } = await calibrateModel({
        model,
        data: fromUser(options.data),
        ...rejectorOptions(options),
        progress: showWork,
      })
      if (excluded > 0) console.log(`${leftOut(excluded)}\n`)
      console.log(section)
      if (warning !== null) console.error(`\n${warning}`)
    })
}
