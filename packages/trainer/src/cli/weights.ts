import { Command } from 'commander'
import { command } from '../console/command.ts'
import { findPretrained, pretrainedWeights } from '../model/weights/pretrained.ts'
import { TrainerError } from '../errors.ts'

const known = Object.keys(pretrainedWeights).join(', ')

export function weightsCommand(): Command {
  return new Command('weights')
    .description('Get pretrained weights into the cache. A recipe that names them does so by itself.')
    .argument('<name>', `one of ${known}`)
    .addHelpText('after', '\nExample: weights efficientnet_lite0')
    .action(async (name: string) => {
      const entry = findPretrained(name)
      if (entry === undefined)
        throw new TrainerError('WEIGHTS_UNKNOWN', `there are no weights "${name}"; known: ${known}`)
      const { fetchWeights } = await import('../model/weights/fetch.ts')
      const path = await fetchWeights(entry, (line) => console.log(line))
      console.log(
        `${path}\narchitecture ${entry.architecture}, ${entry.trainedOn}, ${entry.licence}; ${entry.provenance}`,
      )
      const set = `model.architecture=${entry.architecture}`
      console.log(`start from them with: ${command('train', '--data', 'photos', '--set', set, '--weights', name)}`)
    })
}
