import type { Dataset } from './dataset.ts'
import { groupBy } from './split.ts'

const row = 16
const top = 44
const barWidth = 480

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A bar chart as SVG: a row a class, most training photos first, training and validation photos end to end. */
export function classCountsSvg({ labels, train, valid }: Pick<Dataset, 'labels' | 'train' | 'valid'>): string {
  const trained = groupBy(train, (sample) => sample.label)
  const validated = groupBy(valid, (sample) => sample.label)
  const counts = labels
    .map((label) => ({
      label,
      train: trained.get(label)?.length ?? 0,
      valid: validated.get(label)?.length ?? 0,
    }))
    .toSorted((a, b) => b.train - a.train)
  const most = Math.max(...counts.map((count) => count.train + count.valid))
  // About as wide as the longest label is in a sans-serif of 12 px.
  const left = 24 + 7 * Math.max(...labels.map((label) => label.length))
  const [width, height] = [left + barWidth + 90, top + counts.length * row + 12]
  const bars = counts.map(({ label, train, valid }, index) => {
    const [y, first, second] = [top + index * row, (train / most) * barWidth, (valid / most) * barWidth]
    return `<text class="label" x="${left - 8}" y="${y + 12}">${escapeXml(label)}</text>
<rect class="train" x="${left}" y="${y + 2}" width="${first.toFixed(1)}" height="${row - 4}"/>
<rect class="valid" x="${(left + first).toFixed(1)}" y="${y + 2}" width="${second.toFixed(1)}" height="${row - 4}"/>
<text x="${(left + first + second + 6).toFixed(1)}" y="${y + 12}">${train} + ${valid}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>
text { font: 12px system-ui, sans-serif; fill: #222 }
.label { text-anchor: end }
.background { fill: #fff }
.train { fill: #2a7f62 }
.valid { fill: #e09f3e }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .background { fill: #181818 } }
</style>
<rect class="background" width="${width}" height="${height}"/>
<rect class="train" x="${left}" y="14" width="12" height="12"/>
<text x="${left + 18}" y="24">${train.length} training photos</text>
<rect class="valid" x="${left + 170}" y="14" width="12" height="12"/>
<text x="${left + 188}" y="24">${valid.length} validation photos</text>
${bars.join('\n')}
</svg>
`
}
