import { oneLine, printable } from '@flowers/shared/printable'
import { Command } from 'commander'
import { requireWritableFile } from '../console/output.ts'
import { plural } from '../console/format.ts'
import { showWork } from '../console/bar.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { modelHelp } from './options.ts'
import { fromUser } from '../console/paths.ts'

interface PredictArguments {
  model: string
  input: string
  out?: string
}

export function predictCommand(): Command {
  return new Command('predict')
    .description(
      'Label a photo, or every photo of a folder; writes path,label,confidence,level in order of path; level is sure, perhaps, or none for a picture of none of the classes.',
    )
    .requiredOption('--model <model>', modelHelp)
    .requiredOption('--input <photo|folder>', 'a photo, or a folder of photos in any depth of folders')
    .option('--out <results.csv>', 'the CSV to write; without it the lines are printed')
    .addHelpText('after', '\nExample: predict --model mine --input rose.jpg')
    .action(async (options: PredictArguments) => {
      const { errorsFileOf, predictFolder } = await import('../evaluate/predict-folder.ts')
      const out = options.out === undefined ? null : fromUser(options.out)
      if (out !== null) await requireWritableFile(out)
      const { passedOverLines } = await import('../dataset/passed-over.ts')
      const { written, csv, unreadable, passedOver, calibrated, refuses } = await predictFolder({
        model: await modelFolder(options.model),
        input: fromUser(options.input),
        out,
        onProgress: showWork('labelling photos'),
      })
      console.log(out === null ? printable(csv.trimEnd()) : `${plural(written, 'photo')} labelled in ${options.out}`)
      if (!calibrated) console.error('the confidences only rank labels: how often they are right was not fitted')
      if (!refuses) console.error('this model names a flower on every picture, also where there is none')
      for (const line of passedOverLines(passedOver)) console.error(`passed over: ${line}`)
      for (const { path, reason } of unreadable) console.error(`unreadable: ${oneLine(path)}: ${reason}`)
      if (unreadable.length > 0 && options.out !== undefined) console.error(`listed in ${errorsFileOf(options.out)}`)
    })
}
