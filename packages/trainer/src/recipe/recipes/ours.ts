/**
 * Settings that the contest entry (docs/contest.md) gives no value for, by the step that sets them: their paths, or what
 * the paths begin with. All else in the steps is its own, or follows from it.
 */
export const ours: Readonly<Record<'step1' | 'step2' | 'step3' | 'step4' | 'step5', readonly string[]>> = {
  step1: [
    'model.stochasticDepth',
    'phases.full.epochs',
    'phases.full.learningRate',
    'phases.full.clipNorm',
    'phases.full.augment.crop',
    'phases.full.augment.horizontalFlip',
    'phases.full.augment.color',
  ],
  step2: [
    'phases.head.weightDecay',
    'phases.head.labelSmoothing',
    'phases.full.weightDecay',
    'phases.full.labelSmoothing',
  ],
  step3: [
    'phases.full.learningRate.schedule.factor',
    'phases.full.learningRate.schedule.patience',
    'phases.full.learningRate.schedule.threshold',
    'phases.full.mix.mixupAlpha',
    'phases.full.mix.cutmixAlpha',
    'phases.full.mix.probability',
    'phases.full.mix.late.mixup',
  ],
  step4: ['phases.full.learningRate.schedule.cycleEpochs', 'phases.full.learningRate.schedule.growth'],
  step5: [
    'phases.full.focalGamma',
    'phases.full.labelSmoothing',
    'phases.full.augment',
    'phases.full.mix.mixupAlpha',
    'phases.full.mix.cutmixAlpha',
    'phases.full.mix.mixupOffEpoch',
    'phases.full.mix.cutmixOffEpoch',
    'phases.full.learningRate.schedule.cycleEpochs',
    'phases.fixres.learningRate.schedule.factor',
    'phases.fixres.learningRate.schedule.patience',
    'phases.fixres.learningRate.schedule.threshold',
  ],
}
