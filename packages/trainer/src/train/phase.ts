import * as tf from '@tensorflow/tfjs-core'
import { packedWidth } from '../input/apply-augment.ts'
import { zeroValues } from '../model/init.ts'
import type { PhaseName } from '../recipe/schema.ts'
import type { Position } from '../run/state.ts'
import { CachedHead } from './cached-head.ts'
import { openCheckpoints } from './checkpoints.ts'
import type { RunContext } from './context.ts'
import { photoFeed } from './feed.ts'
import { PhaseLoop, type LoopOptions } from './loop.ts'
import { explainMemory, measureNeed, requireFits } from './memory.ts'
import { classWeightsOf, watchPrior } from './prior.ts'
import {
  compileStep,
  emptyInputs,
  packScalars,
  runEmpty,
  trainableParameters,
  useInputs,
  variablesFor,
  type Step,
} from './step.ts'
import type { TrainingVariables } from './variables.ts'

const now = (): number => performance.now()

/** A phase on TensorFlow; `run` may be called once, and frees everything but the variables. */
export interface OpenPhase {
  readonly position: Position
  /** Throws what `PhaseLoop.run` throws, and TRAIN_MEMORY, naming the batch that fits. */
  run(): Promise<void>
}

/**
 * Puts together the step, the feed and the checkpoints of a phase that goes on from a position. `startsTrained`: whether
 * the weights it began with were trained on these photos, head and all; `startsKnowing` as in `LoopOptions`.
 */
export function openPhase(
  context: RunContext,
  name: PhaseName,
  variables: TrainingVariables,
  { position, ...start }: { readonly position: Position } & Pick<LoopOptions, 'startsTrained' | 'startsKnowing'>,
): OpenPhase {
  const { recipe, model, dataset, log, board, progress, signal } = context
  const phase = recipe.phases[name]
  const { size, batch: width } = phase
  const isCached = phase.features === 'cached'
  const step = compileOn(context, name, variables)
  const feed = isCached ? new CachedHead(context, name, variables) : photoFeed(context, name, variables)
  const train: LoopOptions['step'] = ({ images, labels, packed, soft }, { scalars, seed, complete }) =>
    useInputs(
      [
        images(),
        tf.tensor1d(labels, 'int32'),
        tf.tensor2d(packed, [width, packedWidth]),
        tf.tensor1d(packScalars(scalars)),
        tf.tensor1d(seed, 'int32'),
        soft === null ? tf.zeros([0]) : tf.tensor2d(soft, [width, dataset.labels.length]),
      ],
      (inputs) => step.run(inputs, complete),
    )
  const explained: LoopOptions['step'] = (...given) =>
    train(...given).catch((error: unknown) =>
      explainMemory({ name, ...phase }, error, (batch) => runEmpty(step, batch, size, taughtOf(context))),
    )
  const options: LoopOptions = {
    name,
    phase,
    seed: recipe.seed,
    stepsPerEpoch: Math.floor(dataset.train.length / width),
    trainsBackbone: trainableParameters(model, phase).some(({ group }) => group !== 'head'),
    criterion: recipe.data.criterion,
    ...start,
    feed,
    step: isCached ? train : explained,
    checkpoints: openCheckpoints(context, name, variables, now),
    prior: watchPrior(phase, dataset, (line) => progress.message(line)),
    log,
    board,
    progress,
    signal,
    now,
  }
  const loop = new PhaseLoop(options, position)
  return {
    get position() {
      return loop.position
    },
    async run() {
      try {
        if (!isCached) await requireStepFits(context, name, step)
        await loop.run()
      } finally {
        await feed.close()
        step.dispose()
      }
    },
  }
}

/** Throws TRAIN_MEMORY, naming the batch that fits, if a step of the phase takes too much memory. Trains nothing. */
export async function requirePhaseFits(context: RunContext, name: PhaseName): Promise<void> {
  await onZeros(context, name, (step) => requireStepFits(context, name, step))
}

async function requireStepFits(context: RunContext, name: PhaseName, step: Step): Promise<void> {
  const { batch, size } = context.recipe.phases[name]
  const taught = taughtOf(context)
  const upperBound = useInputs(emptyInputs(batch, size, taught), (inputs) => step.bytes(inputs))
  // A step changes the variables, so it is measured on others.
  const measure = () =>
    onZeros(context, name, (other) => measureNeed((photos) => runEmpty(other, photos, size, taught)))
  await requireFits({ name, batch, size }, upperBound, measure)
}

/** Calls `use` with a step on variables that are thrown away. */
async function onZeros<T>(context: RunContext, name: PhaseName, use: (step: Step) => Promise<T>): Promise<T> {
  const { model, recipe } = context
  const variables = variablesFor(model, recipe.phases[name], recipe.precision, zeroValues(model))
  const step = compileOn(context, name, variables)
  try {
    return await use(step)
  } finally {
    step.dispose()
    variables.dispose()
  }
}

function compileOn({ model, recipe, dataset }: RunContext, name: PhaseName, variables: TrainingVariables): Step {
  const phase = recipe.phases[name]
  const { precision } = recipe
  const classWeights = classWeightsOf(phase, dataset)
  return compileStep(model, variables, phase, { precision, classWeights, teacher: recipe.teacher })
}

/** Classes of the teacher's targets; null: the run has no teacher. */
const taughtOf = ({ recipe, model }: RunContext): number | null => recipe.teacher && model.options.classes
