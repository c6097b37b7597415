import { Command } from 'commander'
import { modelsFolder, requireModelName } from '../console/models-folder.ts'
import { fromUser } from '../console/paths.ts'
import { TrainerError } from '../errors.ts'
import type { Place } from '../export/target.ts'
import { exportModel, madeModel } from './export-model.ts'
import { othersOption, refuseOption, rejectorOptions } from './options.ts'

interface ExportArguments {
  run: string
  data: string
  out?: string
  name?: string
  notes?: string
  others?: string
  refuse?: string
}

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Write the best weights of a run as a model folder: ONNX, manifest, card. Fails if the ONNX file does not agree with the trainer.',
    )
    .requiredOption('--run <run>', 'a run folder of train')
    .requiredOption('--data <data>', 'the photos the run was validated on')
    .option('--name <name>', 'make the next version of this model, models/<name>/<version>')
    .option('--out <model>', 'or the folder to make, models/<name>/<version>')
    .option('--notes <file>', 'Markdown for the card: what its maker knows of the model and no run can measure')
    .addOption(othersOption())
    .addOption(refuseOption())
    .action(async (options: ExportArguments) => {
      const exported = await exportModel({
        run: fromUser(options.run),
        data: fromUser(options.data),
        out: await placeOf(options),
        ...rejectorOptions(options),
        ...(options.notes !== undefined && { notes: fromUser(options.notes) }),
      })
      console.log(madeModel(exported))
    })
}

async function placeOf({ out, name }: ExportArguments): Promise<Place> {
  if (out !== undefined && name === undefined) return fromUser(out)
  if (name === undefined || out !== undefined)
    throw new TrainerError('USAGE', 'export takes --name NAME or --out models/NAME/VERSION, one of the two')
  await requireModelName(name)
  return { models: modelsFolder(), name }
}
