import { mkdirSync, rmdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { atExit } from '@flowers/shared/at-exit'
import { withTemporaryFolder } from '@flowers/shared/files'
import { manifestFormat, type Manifest } from '@flowers/shared/model/manifest'
import { modelFiles, packageModel } from '@flowers/shared/model/package'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { Dataset } from '../dataset/dataset.ts'
import { accuracyByViews, answerOf, type CalibrationQuality, type OutOfFold } from '../measure/calibrate.ts'
import type { CalibratedRejector } from '../evaluate/calibrate-network.ts'
import { openOthers } from '../evaluate/others.ts'
import { withInterval } from '../console/format.ts'
import { measure, type Measures } from '../measure/measure.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { openNetwork, type Network } from '../evaluate/network.ts'
import { sayProgress } from '../console/bar.ts'
import { requireWritable } from '../console/output.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { oneLine } from '@flowers/shared/printable'
import { labelMetadata } from '../model/weights/kept-head.ts'
import { toTimmTensors } from '../model/weights/load.ts'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import { openRunData } from '../run/run-data.ts'
import { readOutOfFold } from '../run/out-of-fold.ts'
import { trainCountsOf, type TrainedRun } from '../run/run-folder.ts'
import { weightsName } from '../recipe/weights-name.ts'
import { calibrationMetrics } from './card-calibration.ts'
import type { LogitAdjustment } from './adjust-logits.ts'
import { readAdjusted } from './adjusted-run.ts'
import { modelCard } from './card.ts'
import { convertToOnnx, type Fused } from './convert.ts'
import { fitNetwork, usualRefusedShare, type FitNetworkOptions } from './fit-network.ts'
import { freezeModel } from './freeze-model.ts'
import { gatePhotos, passGate } from './gate.ts'
import type { Parity } from './parity.ts'
import { openReference } from './reference.ts'
import { makeAt, targetAt, type Place } from './target.ts'
import { collectVersions } from './versions.ts'
import { TrainerError } from '../errors.ts'

export interface ExportOptions {
  /** A run folder of the trainer. */
  readonly run: string
  /** DATA of the command line: the photos of the run. */
  readonly data: string
  /** The model folder to make. */
  readonly out: Place
  /** Photos of anything that is none of the classes; beside those of `others/` of the data. */
  readonly others?: string | undefined
  /** Share of photos of the classes that may be refused, in (0, 1); 0.05 unless said. */
  readonly refusedShare?: number | undefined
  /** A file of Markdown that becomes a section of the card. */
  readonly notes?: string
  readonly log?: (line: string) => void
  /** Opens what is gated; another one stands in for a broken export. */
  readonly open?: (path: string, size: number) => Promise<Network>
}

export interface ExportResult {
  readonly folder: string
  readonly manifest: Manifest
  readonly fused: Fused
  readonly parity: Parity
  readonly measures: Measures
  readonly calibration: CalibrationQuality
  /** Null: nothing is refused. */
  readonly known: CalibratedRejector | null
}

type Gated = Awaited<ReturnType<typeof gateRun>>
type Measured = Awaited<ReturnType<typeof measureRun>>

/** The service answers by the exact rule unless asked otherwise: the label of all views for fewer of them. */
const viewPolicy = 'exact'

/**
 * Makes the model folder of a run: the checkpoint as ONNX, held against the trainer on real photos, measured and
 * calibrated through the service's own preprocessing, with its manifest and card. The folder appears whole or not at all;
 * where the next version is asked for, it is the next at the end.
 *
 * Throws EXPORT_TARGET, MODEL_EXISTS, the system's error where `out` cannot be made, TRAIN_RUN_MISSING, TRAIN_DATA_CHANGED
 * before anything is done; EXPORT_CONVERTER,
 * EXPORT_PARITY; and what TensorFlow, `openDataset` and reading weights throw.
 */
export async function exportRun(options: ExportOptions): Promise<ExportResult> {
  const { log = () => {}, open = openNetwork, out } = options
  await requireWritable(dirname((await targetAt(out)).folder))
  const notes = options.notes === undefined ? null : await readNotes(options.notes)
  const { run, trained, logitAdjustment } = await readAdjusted(options.run)
  const dataset = await openRunData(options.data, run, { needs: 'validation', log })
  const others = await openOthers(options.others, dataset)
  const { python } = await ensurePythonEnvironment({ log })
  // On the CPU: a GPU computes matrix products with fewer bits by default, which is not what the file is held against.
  const tensorflow = await startTensorflow({ device: 'cpu' })
  const preprocessing: Preprocessing = { ...run.recipe.preprocessing, size: run.checkpoint.size }
  return withTemporaryFolder(join(tmpdir(), 'flowers-export-'), async (folder) => {
    const onnx = join(folder, 'model.onnx')
    if (logitAdjustment) log(`logits are adjusted by ${logitAdjustment.tau} times the log of the class prior`)
    log(`freezing ${run.model.architecture} at ${preprocessing.size} px and converting it to ONNX`)
    const graphDef = freezeModel(run.model, run.values, preprocessing.size)
    const fused = await convertToOnnx({ graphDef, folder, target: onnx, python })
    const network = await open(onnx, preprocessing.size)
    const gate = await releasing(network, () => gateRun(run, dataset, preprocessing, network, log))
    const { refusedShare = usualRefusedShare } = options
    const fitting = { network: onnx, folder, python, preprocessing, others, refusedShare }
    const measured = await measureRun(run, await readOutOfFold(options.run, run.data), dataset, fitting, log)
    const versions = await collectVersions(tensorflow.version, python)
    const described = describeRun({ run, logitAdjustment, dataset, preprocessing, gate, measured })
    const { splitBy, labels } = run.data
    const why = whyNotFittedTo(run, dataset)
    const facts = { ...run, ...gate, ...measured, why, splitBy, trainCounts: trainCountsOf(run), notes }
    const weights = join(folder, modelFiles.weights)
    await writeSafetensors(weights, toTimmTensors(run.model, trained), labelMetadata(labels))
    const written = await makeAt(out, async ({ folder: target, name, version }) => {
      const manifest = { name, version, versions, ...described }
      const keepModels = makeModels(dirname(target))
      const files = {
        [modelFiles.network]: { copyOf: measured.onnx },
        [modelFiles.weights]: { copyOf: weights },
        [modelFiles.card]: modelCard({ ...facts, manifest }),
      }
      const model = await packageModel(target, files, manifest)
      keepModels()
      return model
    })
    return { folder: written.folder, manifest: written.manifest, fused, ...gate, ...measured }
  })
}

/** Makes the folder of a model's versions; it goes again if the process ends before there is one, or it is kept. */
function makeModels(folder: string): () => void {
  const isMade = mkdirSync(folder, { recursive: true }) !== undefined
  return isMade ? atExit(() => rmdirSync(folder)) : () => {}
}

async function readNotes(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TrainerError('USAGE', `cannot read the notes ${path}`, { cause })
  })
}

async function releasing<T>(network: Network, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await network.release()
  }
}

type Log = (line: string) => void

async function gateRun(run: TrainedRun, dataset: Dataset, preprocessing: Preprocessing, network: Network, log: Log) {
  const { photos, fromTraining } = gatePhotos(dataset, preprocessing.size)
  const reference = openReference(run.model, run.values, preprocessing.size)
  try {
    const parity = await passGate({
      network,
      reference,
      photos,
      preprocessing,
      onProgress: sayProgress('parity gate', log),
    })
    const source =
      fromTraining === 0
        ? 'validation photos'
        : `photos, ${fromTraining} of them learnt from, as too few were kept for checking`
    log(
      `parity gate: ${parity.photos} ${source}, logits differ by ${parity.maxAbsLogitDifference.toExponential(1)} at most, ${parity.flips.length} labels change`,
    )
    for (const { id, trainer, exported, margin } of parity.flips) {
      log(
        `  near tie: ${oneLine(id)}: ${oneLine(dataset.labels[trainer]!)} became ${oneLine(dataset.labels[exported]!)}, apart by ${margin.toExponential(1)}`,
      )
    }
    return { parity, parityFromTraining: fromTraining }
  } finally {
    reference.dispose()
  }
}

async function measureRun(
  { recipe }: TrainedRun,
  outOfFold: OutOfFold | null,
  { valid, train, labels }: Dataset,
  fitting: Pick<FitNetworkOptions, 'network' | 'folder' | 'python' | 'preprocessing' | 'others' | 'refusedShare'>,
  log: Log,
) {
  const {
    calibration: fitted,
    quality: calibration,
    ...fit
  } = await fitNetwork({
    ...fitting,
    photos: valid,
    training: train,
    labels,
    views: recipe.views,
    seed: recipe.seed,
    choosing: recipe.data.selection,
    outOfFold,
    progress: (what) => sayProgress(what, log),
  })
  const { photos, onnx, known } = fit
  const answers = photos.map((photo) => answerOf(photo, viewPolicy, fitted))
  const measures = await measure(answers, labels.length, recipe.seed)
  log(
    `of ${measures.top1.count} validation photos: top-1 ${withInterval(measures.top1)}, top-5 ${withInterval(measures.top5)}, macro-F1 ${withInterval(measures.macroF1)}`,
  )
  return { fitted, calibration, known, onnx, measures, top1ByViews: accuracyByViews(photos) }
}

const whyNotFittedTo = (run: TrainedRun, { valid }: Pick<Dataset, 'valid'>): string =>
  whyNotFitted({
    valid: valid.length,
    choosing: run.recipe.data.selection,
    train: trainCountsOf(run).reduce((sum, count) => sum + count, 0),
  })

interface Described {
  readonly run: TrainedRun
  readonly logitAdjustment: LogitAdjustment | null
  readonly dataset: Dataset
  readonly preprocessing: Preprocessing
  readonly gate: Gated
  readonly measured: Measured
}

function describeRun({ run, logitAdjustment, dataset, preprocessing, gate, measured }: Described) {
  const { recipe, data, model } = run
  const counts = trainCountsOf(run)
  // Of the run: photos may be missing by now.
  const trained = counts.reduce((sum, count) => sum + count, 0)
  const { top1, top5, macroF1 } = measured.measures
  return {
    format: manifestFormat,
    created: new Date().toISOString(),
    architecture: model.architecture,
    labels: data.labels,
    classPrior: counts.map((count) => count / trained),
    preprocessing,
    views: recipe.views,
    viewPolicy,
    ...(logitAdjustment && { logitAdjustment: { ...logitAdjustment, prior: [...logitAdjustment.prior] } }),
    calibration: measured.fitted,
    metrics: { split: 'valid', top1, top5, macroF1, ...calibrationMetrics(measured.calibration, measured.known) },
    parity: { ...gate.parity, flips: gate.parity.flips.length },
    quantization: null,
    data: {
      sha256: data.sha256,
      train: trained,
      valid: dataset.valid.length,
      seed: data.seed,
      ...(data.excluded.length > 0 && { excluded: data.excluded }),
    },
    recipe: { ...recipe, model: { ...recipe.model, weights: weightsName(recipe.model.weights) } },
  } satisfies Omit<Manifest, 'files' | 'name' | 'version' | 'versions'>
}
