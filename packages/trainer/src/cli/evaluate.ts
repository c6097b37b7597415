import { viewPolicies, type ViewPolicy } from '@flowers/shared/model/views'
import { Command, Option } from 'commander'
import type { EvaluatedSplit } from '../evaluate/photos-of-model.ts'
import { showWork } from '../console/bar.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { modelHelp } from './options.ts'
import { fromUser } from '../console/paths.ts'

interface EvaluateArguments {
  model: string
  data: string
  split: EvaluatedSplit
  views: ViewPolicy
  json?: boolean
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description("Score an exported model through the service's own preprocessing and views.")
    .requiredOption('--model <model>', modelHelp)
    .requiredOption('--data <data>', 'the photos, in any of the forms that train takes')
    .addOption(
      new Option('--split <split>', 'which of its photos; all: every one, for photos the model has never seen')
        .choices(['train', 'valid', 'test', 'all'])
        .default('valid'),
    )
    .addOption(new Option('--views <policy>', 'how many views a photo gets').choices([...viewPolicies]).default('full'))
    .option('--json', 'print JSON instead of a table')
    .action(async (options: EvaluateArguments) => {
      const { evaluateModel } = await import('../evaluate/evaluate-model.ts')
      const { evaluationTable } = await import('../evaluate/evaluation-table.ts')
      const evaluation = await evaluateModel({
        model: await modelFolder(options.model),
        data: fromUser(options.data),
        split: options.split,
        views: options.views,
        onProgress: showWork('scoring photos'),
        onTimed: showWork('timing views'),
      })
      console.log(options.json ? JSON.stringify(evaluation, null, 2) : evaluationTable(evaluation))
    })
}
