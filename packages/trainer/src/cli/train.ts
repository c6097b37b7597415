import { join } from 'node:path'
import { Command } from 'commander'
import { percent } from '../console/format.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { createProgress } from '../console/progress.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { pretrainedWeights } from '../model/weights/pretrained.ts'
import { claimRun } from '../plan/claim-run.ts'
import { planRun, type RunRequest } from '../plan/start-run.ts'
import { recipes } from '../recipe/recipes/index.ts'
import type { Forecast } from '../train/forecast.ts'
import type { RunResult } from '../train/finished.ts'
import { setOption } from './options.ts'
import type { Stop } from './stop.ts'

export function trainCommand(stop: Stop): Command {
  return new Command('train')
    .description('Train through the phases of a recipe: head, full, fixres.')
    .option('--recipe <name|file>', `one of ${Object.keys(recipes).join(', ')}, or a JSON file (default: demo)`)
    .option(
      '--data <data>',
      'a folder with a folder per class, one with train/ and valid/ of those, or a CSV path,label[,split]; without it the demo recipe runs on drawn flowers',
    )
    .option('--out <run>', 'the run folder (default: runs/<recipe>-<UTC time>)')
    .addOption(setOption('change a setting of the recipe'))
    .option(
      '--weights <name|file>',
      `weights to start from: ${Object.keys(pretrainedWeights).join(', ')}, or a .safetensors file`,
    )
    .option('--resume <run>', 'go on with a run that was stopped or killed')
    .option(
      '--resume-if-present',
      'go on with the run in --out where it is there, else start it: one command for a job that is restarted',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  train --recipe quick --data photos --set minutes=20\n  train --recipe flowers102 --data photos --set phases.full.epochs=50',
    )
    .action((request: RunRequest) => train(request, stop))
}

async function train(request: RunRequest, stop: Stop): Promise<void> {
  const { signal } = stop
  const progress = createProgress(process.stdout.isTTY)
  const log = (line: string): void => progress.message(line)
  const plan = await planRun(request, log)
  const { folder, release } = await claimRun(plan, { say: log })
  const goOn = `saved; go on with: train --resume ${toUser(folder)}`
  // A run that goes on has something saved from its beginning.
  if (plan.resume) stop.farewell = goOn
  try {
    const data = plan.data ?? (await drawDemoFlowers(log, signal))
    let forecast: Forecast | undefined
    const recipe = await plan.resolve(data, signal, (made) => (forecast = made))
    // What needs TensorFlow is loaded only now, so that help and wrong usage answer at once.
    const { trainRun } = await import('../train/run.ts')
    const { resume } = plan
    const onTraining = (): void => {
      stop.farewell = goOn
      stop.saves = true
    }
    const { reportAtEnd } = await import('../report/report-run.ts')
    const report = (dataset: Dataset) => reportAtEnd({ folder, progress, signal }, dataset)
    const result = await trainRun({ recipe, data, folder, resume, progress, signal, onTraining, report, forecast })
    progress.close()
    signal.throwIfAborted()
    stop.saves = false
    await finish(folder, data, result, plan.data === undefined)
  } finally {
    progress.close()
    await release()
  }
}

/** The demo's photos, drawn once and kept under the folder the person stands in. */
async function drawDemoFlowers(log: (line: string) => void, signal: AbortSignal): Promise<string> {
  const { demoFlowers } = await import('../drawn/demo-flowers.ts')
  const folder = fromUser(join('runs', 'demo-flowers'))
  log(`no --data: the demo recipe trains on flowers that it draws itself, in ${toUser(folder)}`)
  await demoFlowers(folder, { signal })
  return folder
}

async function finish(
  folder: string,
  data: string,
  { accuracy, size, phase }: RunResult,
  demo: boolean,
): Promise<void> {
  const run = toUser(folder)
  console.log(
    `done: ${percent(accuracy)} of the validation photos right at ${size} px (phase ${phase}); ${run}/checkpoints/best.safetensors`,
  )
  if (!demo) {
    console.log(`next: export --run ${run} --data ${toUser(data)} --out models/<name>/1`)
    return
  }
  const { exportRun } = await import('../export/export-run.ts')
  const model = join(folder, 'models', 'demo', '1')
  await exportRun({ run: folder, data, out: model, log: (line: string) => console.log(line) })
  console.log(
    `model: ${toUser(model)}; serve it with: MODELS_DIR=${toUser(join(folder, 'models'))} MODEL=demo npm start`,
  )
}
