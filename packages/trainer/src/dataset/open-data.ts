import { cacheFolder } from '../console/cache-folder.ts'
import { showWork } from '../console/bar.ts'
import { openDataset, type Dataset, type OpenOptions } from './dataset.ts'

/**
 * DATA as every command opens it: shows how far it is, and remembers in the cache what it found in photos, so that the
 * next look at them costs a hash alone. Throws what `openDataset` throws.
 */
export const openData = (
  data: string,
  options: Omit<OpenOptions, 'cache' | 'onProgress' | 'onInspect'>,
): Promise<Dataset> =>
  openDataset(data, {
    ...options,
    cache: cacheFolder(),
    onProgress: showWork('reading photos'),
    onInspect: showWork('looking for near-duplicates'),
  })
