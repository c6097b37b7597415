import { z } from 'zod'

/**
 * How a photo becomes the model's input, as stored in a manifest. Trainer (evaluation), exporter and
 * service all read this one spec; `preprocess.ts` is its one implementation.
 */
export const preprocessingSchema = z.strictObject({
  /** Side of the square input, in pixels. */
  size: z.int().positive(),
  /** The shortest edge is resized to `round(size / cropFraction)`, then the centre `size` x `size` is cut. In (0, 1]. */
  cropFraction: z.number().gt(0).lte(1),
  kernel: z.enum(['bilinear', 'bicubic', 'lanczos3']),
  /** Per channel (R, G, B), on values scaled to [0, 1]: `(value / 255 - mean) / std`. */
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
})

export type Preprocessing = z.infer<typeof preprocessingSchema>

/** Channel statistics of ImageNet-1k, the default of torchvision and timm. */
export const imagenetNormalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} satisfies Pick<Preprocessing, 'mean' | 'std'>

/** `(value - 127) / 128` on bytes, what EfficientNet-Lite was trained with. */
export const efficientnetLiteNormalization = {
  mean: [127 / 255, 127 / 255, 127 / 255],
  std: [128 / 255, 128 / 255, 128 / 255],
} satisfies Pick<Preprocessing, 'mean' | 'std'>
