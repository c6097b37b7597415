/** What a model may be called: it is a folder, a word of an address and a label of metrics. */
const modelName = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** What stands in `models/` and is no model: the file that says which one answers by default. */
const reserved = 'default'

export const isModelName = (text: string): boolean => modelName.test(text) && text !== reserved

/** A name for what a person calls a model, of what is left of it: `My Roses` is `my-roses`; `flowers` where nothing is. */
export function proposeModelName(text: string): string {
  const proposed = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 100)
  return isModelName(proposed) ? proposed : 'flowers'
}
