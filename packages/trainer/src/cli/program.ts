import { Command } from 'commander'
import { calibrateCommand } from './calibrate.ts'
import { dataCommand } from './data.ts'
import { evaluateCommand } from './evaluate.ts'
import { exportCommand } from './export.ts'
import { ladderCommand } from './ladder.ts'
import { predictCommand } from './predict.ts'
import { reportCommand } from './report.ts'
import { noStop, type Stop } from './stop.ts'
import { trainCommand } from './train.ts'
import { weightsCommand } from './weights.ts'

/** The trainer's command line. Errors of usage are thrown, not exited on. `stop`: for what has something to save. */
export function buildProgram(stop: Stop = noStop()): Command {
  const program = new Command('trainer')
    .description('Trains flower classifiers and exports them as ONNX model folders.')
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
