import { Command } from 'commander'
import { showWork } from '../report/bar.ts'
import { fromUser } from './paths.ts'

interface PredictArguments {
  model: string
  input: string
  out: string
}

export function predictCommand(): Command {
  return new Command('predict')
    .description('Label every photo of a folder; writes path,label,confidence in order of path.')
    .requiredOption('--model <model>', 'a model folder, such as models/garden18/1')
    .requiredOption('--input <folder>', 'the photos, in any depth of folders')
    .requiredOption('--out <results.csv>', 'the CSV to write')
    .action(async (options: PredictArguments) => {
      const { predictFolder } = await import('../evaluate/predict-folder.ts')
      const { written, unreadable } = await predictFolder({
        model: fromUser(options.model),
        input: fromUser(options.input),
        out: fromUser(options.out),
        onProgress: showWork('labelling photos'),
      })
      console.log(`${written} photos labelled in ${options.out}`)
      for (const { path, reason } of unreadable) console.error(`unreadable: ${path}: ${reason}`)
    })
}
