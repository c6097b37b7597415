import { derive } from '../override.ts'
import { transferDefaults } from './transfer.ts'

/** EfficientNet-Lite2 on Oxford Flowers-102, photos of 64 px enlarged to 128, then 192 px. */
export const flowers102 = derive(transferDefaults, {
  name: 'flowers102',
  phases: {
    head: { size: 128, batch: 64 },
    full: {
      epochs: 18,
      size: 128,
      batch: 64,
      learningRate: { backbone: 5e-4, schedule: { warmupEpochs: '0.5/18' } },
      augment: { verticalFlip: 0.2 },
      mix: { cutmixAlpha: 0.5, late: { epochs: '4/18', mixup: 0, cutmix: 0 } },
      ema: { decay: 0.995 },
    },
    fixres: { size: 192, batch: 64, learningRate: { backbone: 1e-4, head: 3e-4 }, ema: { decay: 0.995 } },
  },
})
