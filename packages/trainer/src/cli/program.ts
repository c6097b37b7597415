import { Command } from 'commander'
import { calibrateCommand } from './calibrate.ts'
import { dataCommand } from './data.ts'
import { evaluateCommand } from './evaluate.ts'
import { exportCommand } from './export.ts'
import { ladderCommand } from './ladder.ts'
import { predictCommand } from './predict.ts'
import { reportCommand } from './report.ts'
import { command } from '../console/command.ts'
import { TrainerError } from '../errors.ts'
import { noStop, type Stop } from './stop.ts'
import { trainCommand } from './train.ts'
import { weightsCommand } from './weights.ts'

/** The words of a command line with its command: `train`, where they begin with an option, or where there are none. */
export function withCommand(words: readonly string[]): string[] {
  // pnpm passes on the dashes that npm takes for itself.
  const [first, ...others] = words[0] === '--' ? words.slice(1) : words
  if (first === undefined) return ['train']
  return first.startsWith('-') && first !== '--help' ? ['train', first, ...others] : [first, ...others]
}

/**
 * Throws USAGE where npm took the options for itself, as it does without the dashes, and left their values:
 * `npm run train --data photos`.
 */
export function requireDashes(words: readonly string[], variables: NodeJS.ProcessEnv): void {
  const { npm_lifecycle_event: script, npm_config_data: data, npm_config_name: name } = variables
  if (script !== 'train' || words.some((word) => word.startsWith('-')) || !(data || name)) return
  const meant = command(
    'train',
    '--data',
    data && data !== 'true' ? data : 'photos',
    '--name',
    name && name !== 'true' ? name : 'mine',
  )
  throw new TrainerError('USAGE', `npm keeps options for itself unless two dashes stand before them: ${meant}`)
}

/** The trainer's command line. Errors of usage are thrown, not exited on. `stop`: for what has something to save. */
export function buildProgram(stop: Stop = noStop()): Command {
  const program = new Command('trainer')
    .description('Trains flower classifiers and exports them as ONNX model folders.')
    .addHelpText(
      'after',
      '\nWithout the name of a command it trains: --data photos --name mine\nThe options of a command: <command> --help',
    )
    .showHelpAfterError('Run with --help for the options.')
  for (const command of [
    trainCommand(stop),
    evaluateCommand(),
    predictCommand(),
    exportCommand(),
    calibrateCommand(),
    ladderCommand(stop),
    reportCommand(),
    weightsCommand(),
    dataCommand(),
  ]) {
    program.addCommand(command)
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap((nested) => nested.commands)]) {
    command.exitOverride().allowExcessArguments(false).helpOption('--help', 'show this help').helpCommand(false)
  }
  return program
}
