import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { Command } from 'commander'
import { withinBudget } from '../plan/ladder/budget.ts'
import type { LadderPlan } from '../plan/ladder/ladder.ts'
import { chosenSteps, steps } from '../plan/ladder/steps.ts'
import { findArchitecture } from '../model/registry.ts'
import { createProgress } from '../console/progress.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { applySettings } from '../recipe/resolve-recipe.ts'
import { setOption } from './set-option.ts'
import { startingFrom } from './starting-from.ts'
import { Stopped, stopping, stopSignal } from './stop.ts'

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

export function ladderCommand(): Command {
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
    .action(runCommand)
}

async function runCommand(options: LadderArguments): Promise<void> {
  const folder = fromUser(options.out)
  const plan = {
    architecture: findArchitecture(options.architecture).name,
    epochs: whole('--epochs', options.epochs),
    size: whole('--size', options.size),
    batch: whole('--batch', options.batch),
    steps: stepNumbers(options.steps),
    seeds: seedNumbers(options.seeds),
    settings: options.set ?? [],
  }
  await requireRecipes(plan)
  const progress = createProgress(process.stdout.isTTY)
  const stop = stopSignal((training) => progress.message(stopping(training)))
  const { signal, release } = stop
  try {
    const { runLadder } = await import('../plan/ladder/run-ladder.ts')
    await runLadder({
      data: fromUser(options.data),
      folder,
      plan,
      withSettings: (recipe) =>
        startingFrom(applySettings(recipe, plan.settings, { log: (line) => progress.message(line) })),
      progress,
      signal,
      onTraining: stop.beginTraining,
    })
    progress.close()
    console.log(`done: ${toUser(join(folder, 'ladder.md'))}`)
  } catch (error) {
    progress.close()
    if (error instanceof Stopped) console.log('stopped; go on with the same command')
    throw error
  } finally {
    release()
  }
}

/** What is wrong with the recipes of a plan, before its photos are read: how many there are changes rates alone. */
async function requireRecipes(plan: LadderPlan): Promise<void> {
  const { requireModel } = await import('../recipe/network.ts')
  for (const { recipe } of chosenSteps(plan)) {
    const budget = { ...plan, photos: plan.batch }
    await requireModel(startingFrom(applySettings(withinBudget(recipe, budget), plan.settings, { log: () => {} })))
  }
}

function stepNumbers(text: string): number[] {
  const numbers = text.split(',').map((number) => whole('--steps', number))
  const wrong = numbers.find((number) => number > steps.length)
  if (wrong !== undefined) throw new FlowersError('USAGE', `there is no step ${wrong}, only 1 to ${steps.length}`)
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}

function seedNumbers(text: string): number[] {
  const numbers = text.split(',').map((seed) => whole('--seeds', seed))
  const twice = numbers.find((seed, place) => numbers.indexOf(seed) !== place)
  if (twice === undefined) return numbers
  throw new FlowersError('USAGE', `--seeds has ${twice} twice: a step gives the same with the same seed`)
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new FlowersError('USAGE', `${option} takes a whole number from 1, not "${text}"`)
  return value
}
