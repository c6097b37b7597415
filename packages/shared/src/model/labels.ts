/** Label of a class folder: a leading number and dash is order, not name. `012-colts-foot` is `colts-foot`, `012-` is itself. */
export function labelOfFolder(folder: string): string {
  return folder.replace(/^\d+-(?=.)/, '')
}

/** Index to label, with indices as strings: `id2label` of a Hugging Face `config.json`. */
export function id2label(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label, index) => [String(index), label]))
}

/** Label to index: `label2id` of a Hugging Face `config.json`. */
export function label2id(labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, index) => [label, index]))
}
