import { labelOfFolder } from '@flowers/shared/model/labels'
import type { ListedPhoto } from './listed-photo.ts'

/** A photo under the name that its class has in DATA, of a folder or of a CSV. */
export type NamedPhoto = Omit<ListedPhoto, 'label'> & { readonly className: string }

/**
 * What may be the label of a name, the tidiest first, but for the fullest that is known. Unicode has two spellings of an accented
 * letter, and file systems differ in which they keep.
 */
function formsOf(name: string, known: ReadonlySet<string>): string[] {
  const composed = name.normalize('NFC')
  const forms = [labelOfFolder(composed.trim()), composed.trim(), composed, name].filter((form) => form !== '')
  return [...new Set([...forms.filter((form) => known.has(form)).slice(-1), ...forms])]
}

/** The label of a class whose name no other has. */
export const labelOf = (name: string): string => formsOf(name, new Set())[0]!

/**
 * Photos with the labels of their classes: the number at the beginning of a name is order, and spaces around it are none
 * of it. Where two names of a split would then be one label, they keep what tells them apart, so that no class is
 * mixed with another unseen: `2019-rose` and `2020-rose`, `rose ` and `rose`.
 *
 * @param known labels of a run or a model that these are photos for, which may have had names that are missing here
 */
export function labelled(photos: readonly NamedPhoto[], known: readonly string[] = []): ListedPhoto[] {
  const labels = labelsOf(photos, new Set(known))
  return photos.map(({ className, ...photo }) => ({ ...photo, label: labels.get(className)! }))
}

function labelsOf(photos: readonly NamedPhoto[], known: ReadonlySet<string>): Map<string, string> {
  const left = new Map(photos.map(({ className }) => [className, formsOf(className, known)]))
  const places = new Map(
    photos.map(({ split, className }) => [JSON.stringify([split, className]), { split, className }]),
  )
  for (;;) {
    const nameOf = new Map<string, string>()
    const shared = new Set<string>()
    for (const { split, className } of places.values()) {
      const label = left.get(className)![0]!
      const key = JSON.stringify([split, label])
      if (nameOf.has(key)) shared.add(label)
      nameOf.set(key, className)
    }
    const tidied = [...left.values()].filter((forms) => forms.length > 1 && shared.has(forms[0]!))
    if (tidied.length === 0) return new Map([...left].map(([name, forms]) => [name, forms[0]!]))
    for (const forms of tidied) forms.shift()
  }
}
