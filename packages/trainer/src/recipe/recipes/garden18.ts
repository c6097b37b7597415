import { threeViews } from '@flowers/shared/image/view'
import { derive } from '../override.ts'
import { garden18Ignore } from './garden18-ignore.ts'
import { transferDefaults } from './transfer.ts'

/** EfficientNet-Lite2 on 18 garden flowers in full-size photos, ending in FixRes at 576 px; docs/models.md has what it gives. */
export const garden18 = derive(transferDefaults, {
  name: 'garden18',
  data: { criterion: 'loss', ignore: garden18Ignore },
  phases: {
    head: { size: 224, batch: 32 },
    full: {
      size: 288,
      batch: 32,
      // The vertical flip is as frequent as in the views of the service.
      augment: { crop: { scale: [0.3, 1] }, verticalFlip: 1 / 3 },
    },
    // The head alone, on features computed once of the three flips that the service has views of; classes are drawn equally often.
    fixres: {
      epochs: 40,
      batch: 64,
      trainable: 'head',
      features: 'cached',
      featureViews: [...threeViews],
      learningRate: { backbone: 0, head: 1e-3, schedule: { warmupEpochs: '1/40' } },
      labelSmoothing: 0.05,
      samplerPower: 0,
    },
  },
})
