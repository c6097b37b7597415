import { derive } from '../override.ts'
import { step5 } from './ladder.ts'

/**
 * The last step of the contest entry (docs/contest.md): ConvNeXt-Base from its ImageNet-1k weights with the MLP head; 12 epochs of
 * the head, 120 of all of it, 30 at 576 px. Made for a GPU.
 */
export const report = derive(step5, { name: 'report' })
