import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withTemporaryFolder } from '@flowers/shared/files'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { sayProgress } from '../console/bar.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { openNetwork } from '../evaluate/network.ts'
import { scoreAllPhotos } from '../evaluate/score-photos.ts'
import { writeFoldAnswers } from '../run/out-of-fold.ts'
import { readAdjusted } from './adjusted-run.ts'
import { convertToOnnx } from './convert.ts'
import { freezeModel } from './freeze-model.ts'

export interface ScoreFoldOptions {
  /** The run folder of the fold. */
  readonly folder: string
  /** The photos of the fold are its split `test`. */
  readonly dataset: Pick<Dataset, 'test' | 'files'>
  /** Of the photos of the run that the fold belongs to. */
  readonly sha256: string
  readonly log: (line: string) => void
  /** Abort to stop between two photos; its reason is what the promise rejects with. */
  readonly signal: AbortSignal
}

/**
 * Asks the network of a fold about the photos that it did not learn from, on the way of an export: its best checkpoint as
 * an ONNX file, the preprocessing of the service, all views of the recipe. Writes the answers into the run folder of the
 * fold. Throws TRAIN_RUN_MISSING, TRAIN_RUN_DAMAGED, EXPORT_CONVERTER, DATA_IMAGE_LOST.
 */
export async function scoreFold({ folder, dataset, sha256, log, signal }: ScoreFoldOptions): Promise<void> {
  const { run } = await readAdjusted(folder)
  const { size } = run.checkpoint
  const { views } = run.recipe
  const { python } = await ensurePythonEnvironment({ log })
  await withTemporaryFolder(join(tmpdir(), 'flowers-fold-'), async (temporary) => {
    const target = join(temporary, 'model.onnx')
    await convertToOnnx({ graphDef: freezeModel(run.model, run.values, size), folder: temporary, target, python })
    const network = await openNetwork(target, size)
    const say = sayProgress(
      `asking about the ${dataset.test.length} photos of the fold with ${views.length} views`,
      log,
    )
    try {
      const photos = await scoreAllPhotos(network, dataset.test, {
        preprocessing: { ...run.recipe.preprocessing, size },
        views,
        onProgress: (done, total) => {
          signal.throwIfAborted()
          say(done, total)
        },
      })
      const answers = photos.map((photo) => ({ ...photo, sha256: dataset.files.get(photo.id)!.sha256 }))
      await writeFoldAnswers(folder, sha256, answers)
    } finally {
      await network.release()
    }
  })
}
