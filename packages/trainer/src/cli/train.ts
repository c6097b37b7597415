import { join } from 'node:path'
import { Command } from 'commander'
import { proposeModelName } from '@flowers/shared/model/model-name'
import { command, pathWord } from '../console/command.ts'
import { plural, withInterval } from '../console/format.ts'
import { modelsFolder } from '../console/models-folder.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { createProgress } from '../console/progress.ts'
import type { Dataset } from '../dataset/dataset.ts'
import type { Place } from '../export/target.ts'
import { exactShare, type MeasuredShare } from '../measure/bootstrap.ts'
import { pretrainedWeights } from '../model/weights/pretrained.ts'
import { claimRun } from '../plan/claim-run.ts'
import type { FoldsOptions } from '../plan/folds.ts'
import { planRun, type RunPlan, type RunRequest } from '../plan/start-run.ts'
import { recipes } from '../recipe/recipes/index.ts'
import type { Forecast } from '../train/forecast.ts'
import type { RunResult } from '../train/finished.ts'
import type { PreparedData } from '../train/run.ts'
import type { MetricsLog } from '../run/metrics-log.ts'
import { exportModel, madeModel } from './export-model.ts'
import { othersOption, rejectorOptions, setOption } from './options.ts'
import { Stopped, type Stop } from './stop.ts'
import { howToRead, summary } from './summary.ts'

export function trainCommand(stop: Stop): Command {
  return new Command('train')
    .description(
      'Learn from photos. With --data and --name: looks the photos over, plans for the minutes there are, trains, and makes the model models/NAME/<next version>, ready to be served.',
    )
    .option(
      '--data <data>',
      'a folder with a folder per class, one with train/ and valid/ of those, or a CSV path,label[,split]; without it the demo recipe runs on drawn flowers',
    )
    .option('--name <name>', 'make a model of this name at the end: lower-case letters, digits, dots and dashes')
    .option('--minutes <minutes>', 'how long it may take, for the recipe quick (default: 20)')
    .addOption(othersOption())
    .option(
      '--folds <number>',
      'for few photos: repeat the recipe 2 to 10 times before, each time without a part of the training photos, and calibrate the model on what is said of these; takes as many times longer',
    )
    .option(
      '--from <name>',
      'start from a model of your own: what it knows of classes that stay is kept, further classes are added',
    )
    .option(
      '--recipe <name|file>',
      `one of ${Object.keys(recipes).join(', ')}, or a JSON file (default: quick; without --data demo)`,
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
      '\nExamples:\n  train --data photos --name mine\n  train --data photos --name mine --from mine --minutes 10\n  train --recipe flowers102 --data photos --set phases.full.epochs=50',
    )
    .action((request: RunRequest) => train(request, stop))
}

async function train(request: RunRequest, stop: Stop): Promise<void> {
  const { signal } = stop
  const progress = createProgress(process.stdout.isTTY)
  const log = (line: string): void => progress.message(line)
  const plan = await planRun(request, log)
  // Else the folder's name would be found wrong when all is trained.
  if (request.others !== undefined) await (await import('../evaluate/others.ts')).listOthers(fromUser(request.others))
  const { folder, release } = await claimRun(plan, { say: log })
  const goOn = command('train', ...goOnWith(folder, request))
  const farewell = `saved; go on with: ${goOn}`
  // A run that goes on has something saved from its beginning.
  if (plan.resume) stop.farewell = farewell
  try {
    const data = plan.data ?? (await drawDemoFlowers(log, signal))
    let forecast: Forecast | undefined
    const estimate = openEstimate(plan, { log, signal })
    const recipe = await plan.resolve(data, signal, {
      onForecast: (made) => (forecast = made),
      estimate: (dataset, most) => estimate.make(dataset, most),
    })
    if (request.name === undefined && plan.data !== undefined)
      log('without --name the training is kept, and no model is made of it at the end')
    // What needs TensorFlow is loaded only now, so that help and wrong usage answer at once.
    const { trainRun } = await import('../train/run.ts')
    const { resume } = plan
    const onTraining = (): void => {
      stop.farewell = farewell
      stop.saves = true
      for (const line of howToRead(toUser(folder), goOn)) log(line)
    }
    const { reportAtEnd } = await import('../report/report-run.ts')
    const report = (dataset: Dataset) => reportAtEnd({ folder, progress, signal }, dataset)
    const options = { recipe, data, folder, resume, progress, signal }
    const folds = plan.folds > 0 ? await openFolds({ ...options, run: folder, folds: plan.folds, forecast }) : null
    const result = await trainRun({
      ...options,
      onTraining,
      report,
      forecast,
      ...(folds && { onPrepared: folds.plan }),
      before: async (prepared, metrics) => {
        if (request.name !== undefined) await requireOthers(request.others, prepared)
        if (recipe.model.weights !== null) await estimate.make(prepared.dataset)
        await estimate.write(metrics)
        await folds?.train(prepared)
      },
    })
    progress.close()
    signal.throwIfAborted()
    stop.saves = false
    await finish({ folder, data, isDemo: plan.data === undefined, name: request.name, others: request.others }, result)
  } finally {
    progress.close()
    await release()
  }
}

/** Throws what would end the export, before anything is trained. */
async function requireOthers(named: string | undefined, { dataset }: Pick<PreparedData, 'dataset'>): Promise<void> {
  const { openOthers } = await import('../evaluate/others.ts')
  await openOthers(named === undefined ? undefined : fromUser(named), dataset)
}

/** The estimate of a run that begins on photos of one's own: made once, where no network is fetched for it. */
function openEstimate(
  { data, resume }: Pick<RunPlan, 'data' | 'resume'>,
  { log, signal }: { readonly log: (line: string) => void; readonly signal: AbortSignal },
) {
  let made: Promise<MeasuredShare | null> | undefined = data === undefined || resume ? Promise.resolve(null) : undefined
  const makeOnce = async (dataset: Dataset, most?: number): Promise<MeasuredShare | null> => {
    const { estimateAccuracy, estimateWords } = await import('../plan/estimate.ts')
    const estimate = await estimateAccuracy(dataset, { ...(most !== undefined && { most }), log, signal })
    if (estimate !== null) log(estimateWords(estimate))
    return estimate
  }
  return {
    make: async (dataset: Dataset, most?: number): Promise<void> => void (await (made ??= makeOnce(dataset, most))),
    write: async (metrics: Pick<MetricsLog, 'write'>): Promise<void> => {
      const estimate = await made
      if (!estimate) return
      const { estimateRecord } = await import('../plan/estimate.ts')
      await metrics.write(estimateRecord(estimate))
    },
  }
}

/** What a run with folds does before it trains. */
async function openFolds(
  options: Omit<FoldsOptions, 'isPlanned' | 'score'> & { readonly forecast: Forecast | undefined },
): Promise<{ plan: (prepared: PreparedData) => Promise<void>; train: (prepared: PreparedData) => Promise<void> }> {
  const { planFolds, trainFolds } = await import('../plan/folds.ts')
  const { scoreFold } = await import('../export/score-fold.ts')
  const log = (line: string): void => options.progress.message(line)
  const score: FoldsOptions['score'] = (folder, dataset, sha256) =>
    scoreFold({ folder, dataset, sha256, log, signal: options.signal })
  return {
    plan: ({ dataset }) => planFolds(options, dataset),
    train: (prepared) => trainFolds({ ...options, isPlanned: options.forecast !== undefined, score }, prepared),
  }
}

/** What goes on with a run, to the model that it was to become. */
function goOnWith(folder: string, { name, data, others, resume }: RunRequest): string[] {
  const moved = resume !== undefined && data !== undefined ? ['--data', pathWord(fromUser(data))] : []
  const named = name === undefined ? [] : ['--name', name]
  return ['--resume', pathWord(folder), ...moved, ...named, ...othersWords(others)]
}

const othersWords = (others: string | undefined): string[] =>
  others === undefined ? [] : ['--others', pathWord(fromUser(others))]

/** The demo's photos, drawn once and kept under the folder the person stands in. */
async function drawDemoFlowers(log: (line: string) => void, signal: AbortSignal): Promise<string> {
  const { demoFlowers } = await import('../drawn/demo-flowers.ts')
  const folder = fromUser(join('runs', 'demo-flowers'))
  log(
    `no --data: the demo recipe trains on flowers that it draws itself, in ${toUser(folder)}; for your own photos: ${command('train', '--data', 'photos', '--name', 'mine')}`,
  )
  await demoFlowers(folder, { signal })
  return folder
}

interface Ended {
  readonly folder: string
  readonly data: string
  readonly isDemo: boolean
  readonly name: string | undefined
  readonly others: string | undefined
}

/** Says what came of a run, and makes the model of it where that was asked for. */
async function finish(
  { folder, data, isDemo, name, others }: Ended,
  { accuracy, photos, size, phase }: RunResult,
): Promise<void> {
  console.log(
    `done: ${withInterval(exactShare(Math.round(accuracy * photos), photos))} of ${plural(photos, 'validation photo')} right at ${size} px with one view (phase ${phase}); ${toUser(folder)}/checkpoints/best.safetensors`,
  )
  const exportTo = (...place: string[]): string =>
    command('export', '--run', pathWord(folder), '--data', pathWord(data), ...place, ...othersWords(others))
  if (name === undefined && !isDemo) {
    console.log(`next: ${exportTo('--name', proposeModelName(data.split('/').at(-1)!))}`)
    return
  }
  const out: Place = name === undefined ? join(folder, 'models', 'demo', '1') : { models: modelsFolder(), name }
  try {
    const exported = await exportModel({ run: folder, data, out, ...rejectorOptions({ others }) })
    const said = name === undefined ? [] : await summary(folder, exported.manifest)
    for (const line of [...said, madeModel(exported)]) console.log(line)
  } catch (error) {
    const place = typeof out === 'string' ? ['--out', pathWord(out)] : ['--name', out.name]
    if (!(error instanceof Stopped))
      console.log(`the training is kept; make the model of it with: ${exportTo(...place)}`)
    throw error
  }
}
