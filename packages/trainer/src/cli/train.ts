import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Dataset } from '../dataset/dataset.ts'
import { runFiles } from '../run/files.ts'
import { Command } from 'commander'
import { recipes } from '../recipe/recipes/index.ts'
import { pretrainedWeights } from '../model/weights/pretrained.ts'
import { requireWritable } from '../console/output.ts'
import type { Recipe } from '../recipe/schema.ts'
import { percent } from '../console/format.ts'
import { createProgress } from '../console/progress.ts'
import type { RunResult } from '../train/run.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { applySettings, readStoredRecipe, resolveRecipe, takeMinutes } from '../recipe/resolve-recipe.ts'
import { setOption } from './set-option.ts'
import { startingFrom } from './starting-from.ts'
import { Stopped, stopping, stopSignal } from './stop.ts'
import { TrainerError } from '../errors.ts'

interface TrainArguments {
  recipe?: string
  data?: string
  out?: string
  set?: string[]
  weights?: string
  resume?: string
  resumeIfPresent?: boolean
}

export function trainCommand(): Command {
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
    .action(async (options: TrainArguments) => {
      await train(options)
    })
}

async function train(options: TrainArguments): Promise<void> {
  const progress = createProgress(process.stdout.isTTY)
  const log = (line: string): void => progress.message(line)
  const plan = await planTraining(options, log)
  // A run that goes on has something saved from its beginning.
  let begun = plan.resume
  const stop = stopSignal((training) => progress.message(stopping(training)))
  const { signal, release } = stop
  try {
    const data = plan.data ?? (await drawDemoFlowers(log, signal))
    const recipe = await plan.resolve(data, signal)
    // What needs TensorFlow is loaded only now, so that help and wrong usage answer at once.
    const { trainRun } = await import('../train/run.ts')
    const { folder, resume } = plan
    const onTraining = (): void => {
      begun = true
      stop.beginTraining()
    }
    const { reportAtEnd } = await import('../report/report-run.ts')
    const report = (dataset: Dataset) => reportAtEnd({ folder, progress, signal }, dataset)
    const result = await trainRun({ recipe, data, folder, resume, progress, signal, onTraining, report })
    progress.close()
    await finish(plan.folder, data, result, plan.data === undefined)
  } catch (error) {
    progress.close()
    if (error instanceof Stopped)
      console.log(
        begun
          ? `saved; go on with: train --resume ${toUser(plan.folder)}`
          : 'stopped; begin again with the same command',
      )
    throw error
  } finally {
    release()
  }
}

type Log = (line: string) => void

function planTraining(options: TrainArguments, log: Log) {
  if (options.resumeIfPresent) return planStartOrResume(options, log)
  return options.resume === undefined ? planRun(options, log) : planResume(options.resume, options)
}

/** What a run leaves that was killed before it had written down what it is; `data.json` comes last. */
const leftOfAnUnbornRun = (name: string): boolean =>
  /^(checkpoints|events\..*|(recipe|environment)\.json.*|data\.json\..*\.tmp)$/.test(name)

/** The recipe that is asked for, before it is fitted to photos and machine. */
async function planRecipe({ recipe: name, data, set = [], weights }: TrainArguments, log: Log) {
  if (data === undefined && name !== undefined && name !== 'demo') {
    throw new TrainerError('USAGE', `the recipe "${name}" needs photos: add --data DATA (only demo draws its own)`)
  }
  const { minutes, settings } = takeMinutes(name ?? 'demo', set)
  const settle = (resolved: Recipe): Recipe => startingFrom(resolved, weights)
  return { minutes, settings, settle, planned: settle(await resolveRecipe(name ?? 'demo', settings, log)) }
}

async function planRun(options: TrainArguments, log: Log) {
  const { data, out } = options
  const { minutes, settings, settle, planned } = await planRecipe(options, log)
  // Else `quick` would find out after it has looked at the photos, `demo` after it has drawn them.
  const { requireModel } = await import('../recipe/network.ts')
  await requireModel(planned)
  const time = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15)
  const folder = fromUser(out ?? join('runs', `${planned.name}-${time}Z`))
  await requireWritable(folder)
  const present = await readdir(folder).catch(() => [])
  if (!present.every(leftOfAnUnbornRun)) throw new TrainerError('TRAIN_RUN_EXISTS', `${toUser(folder)} is not empty`)
  return {
    data: data === undefined ? undefined : fromUser(data),
    folder,
    resume: false,
    /** The recipe with everything that depends on the photos and the machine. */
    resolve: async (photos: string, signal: AbortSignal): Promise<Recipe> => {
      if (minutes === null) return planned
      const { resolveQuick } = await import('../plan/quick.ts')
      // What was shortened has been said of the recipe before it was fitted.
      const withSettings = (fitted: Recipe): Recipe => settle(applySettings(fitted, settings, { log: () => {} }))
      return resolveQuick(planned, { data: photos, minutes, withSettings, log, signal })
    },
  }
}

/** The recipe as a run stores it, where it left the precision to the machine. */
const asStored = (planned: Recipe, { precision }: Recipe): Recipe =>
  planned.precision === 'auto' ? { ...planned, precision } : planned

/** The same arguments start a run and go on with it; those of another run are refused. */
async function planStartOrResume(options: TrainArguments, log: Log) {
  const { out, data, resume } = options
  if (out === undefined || resume !== undefined)
    throw new TrainerError('USAGE', '--resume-if-present needs --out RUN, and no --resume')
  const present = await readdir(fromUser(out)).catch((): string[] => [])
  if (!present.includes(runFiles.data)) return planRun(options, log)
  const plan = await planResume(out, data === undefined ? {} : { data })
  const { minutes, planned } = await planRecipe(options, log)
  const stored = await plan.resolve()
  // What was fitted to some minutes was fitted to the machine where the run began.
  const same = minutes === null ? isDeepStrictEqual(stored, asStored(planned, stored)) : stored.name === planned.name
  if (!same) throw new TrainerError('TRAIN_RUN_EXISTS', `${toUser(plan.folder)} holds a run with other settings`)
  return plan
}

async function planResume(run: string, { recipe, data, out, set = [], weights }: TrainArguments) {
  if (recipe !== undefined || out !== undefined || weights !== undefined || set.length > 0) {
    throw new TrainerError(
      'USAGE',
      '--resume continues a run as it was started: it takes neither --recipe, --out, --weights nor --set',
    )
  }
  const folder = fromUser(run)
  for (const name of [runFiles.data, runFiles.recipe]) {
    await access(join(folder, name)).catch((cause: unknown) => {
      throw new TrainerError('TRAIN_RUN_MISSING', `${toUser(folder)} holds no ${name}`, { cause })
    })
  }
  const { readRunData } = await import('../run/data-file.ts')
  const { source } = await readRunData(folder)
  const stored = await readStoredRecipe(join(folder, runFiles.recipe))
  return {
    resolve: async () => stored,
    data: data === undefined ? source : fromUser(data),
    folder,
    resume: true,
  }
}

/** The demo's photos, drawn once and kept under the folder the person stands in. */
async function drawDemoFlowers(log: Log, signal: AbortSignal): Promise<string> {
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
