import { groupBy } from '@flowers/shared/group-by'
import { labelOfFolder } from '@flowers/shared/model/labels'
import type { ListedPhoto } from './listed-photo.ts'
import { TrainerError } from '../errors.ts'

/** A photo under the name that its class has in DATA, of a folder or of a CSV. */
export type NamedPhoto = Omit<ListedPhoto, 'label'> & { readonly className: string }

/** Unicode has two spellings of an accented letter, and file systems differ in which they keep. */
export const labelOf = (className: string): string => labelOfFolder(className.normalize('NFC'))

/** Photos with the labels of their classes; two names of a split for one label are an error that names both. */
export function labelled(photos: readonly NamedPhoto[]): ListedPhoto[] {
  for (const own of groupBy(photos, ({ split }) => split).values()) {
    const nameOf = new Map<string, string>()
    for (const name of new Set(own.map(({ className }) => className))) {
      const other = nameOf.get(labelOf(name))
      if (other !== undefined)
        throw new TrainerError('DATA_LABEL_CLASH', `"${other}" and "${name}" both have the label "${labelOf(name)}".`)
      nameOf.set(labelOf(name), name)
    }
  }
  return photos.map(({ className, ...photo }) => ({ ...photo, label: labelOf(className) }))
}
