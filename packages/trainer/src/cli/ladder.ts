import { join } from 'node:path'
import { Command } from 'commander'
import { steps } from '../plan/ladder/steps.ts'
import { findArchitecture } from '../model/registry.ts'
import { requireOutside } from '../console/output.ts'
import { createProgress } from '../console/progress.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { setOption, wholeNumber } from './options.ts'
import type { Stop } from './stop.ts'
import { TrainerError } from '../errors.ts'

interface LadderArguments {
  data: string
  out: string
  architecture: string
  epochs: string
  size: string
  batch: string
  steps: string
  seeds: string
  set?: string[]
}

export function ladderCommand(stop: Stop): Command {
  return new Command('ladder')
    .description(
      'Run the five steps of the contest entry within a budget and write a table beside its figures. Run it again to go on where it was stopped or killed.',
    )
    .requiredOption('--data <data>', 'the photos, in any of the forms that train takes')
    .option('--out <folder>', 'where runs, ladder.json and ladder.md go', join('runs', 'ladder'))
    .option('--architecture <name>', 'the network, from its ImageNet weights', 'efficientnet_lite0')
    .option('--epochs <number>', 'epochs of a run for every 100 of its recipe', '6')
    .option('--size <pixels>', 'side of the input; FixRes ends at 1.5 times as much', '64')
    .option('--batch <photos>', 'photos a step', '32')
    .option('--steps <numbers>', 'which of the steps', '1,2,3,4,5')
    .option('--seeds <numbers>', 'each step runs once with each', '1,2')
    .addOption(setOption('change a setting of every step'))
    .addHelpText('after', '\nExample: ladder --data photos --epochs 6 --size 96')
    .action(async (options: LadderArguments, command: Command) => {
      if (command.getOptionValueSource('out') === 'cli') await requireOutside(options.out, options.data)
      await runCommand(options, stop)
    })
}

async function runCommand(options: LadderArguments, stop: Stop): Promise<void> {
  const folder = fromUser(options.out)
  const plan = {
    architecture: findArchitecture(options.architecture).name,
    epochs: wholeNumber('--epochs', options.epochs),
    size: wholeNumber('--size', options.size),
    batch: wholeNumber('--batch', options.batch),
    steps: stepNumbers(options.steps),
    seeds: seedNumbers(options.seeds),
    settings: options.set ?? [],
  }
  const progress = createProgress(process.stdout.isTTY)
  stop.farewell = 'stopped; go on with the same command'
  try {
    const { runLadder } = await import('../plan/ladder/run-ladder.ts')
    await runLadder({
      data: fromUser(options.data),
      folder,
      plan,
      progress,
      signal: stop.signal,
      onTraining: () => {
        stop.saves = true
      },
    })
    progress.close()
    console.log(`done: ${toUser(join(folder, 'ladder.md'))}`)
  } finally {
    progress.close()
  }
}

function stepNumbers(text: string): number[] {
  const numbers = text.split(',').map((number) => wholeNumber('--steps', number))
  const wrong = numbers.find((number) => number > steps.length)
  if (wrong !== undefined) throw new TrainerError('USAGE', `there is no step ${wrong}, only 1 to ${steps.length}`)
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}

function seedNumbers(text: string): number[] {
  const numbers = text.split(',').map((seed) => wholeNumber('--seeds', seed))
  const twice = numbers.find((seed, place) => numbers.indexOf(seed) !== place)
  if (twice === undefined) return numbers
  throw new TrainerError('USAGE', `--seeds has ${twice} twice: a step gives the same with the same seed`)
}
