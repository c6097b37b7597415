import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@flowers/shared/files'
import { html } from '@flowers/shared/html'
import { decodeImage } from '@flowers/shared/image/decode'
import { oneLine } from '@flowers/shared/printable'
import pLimit from 'p-limit'
import sharp, { type OverlayOptions } from 'sharp'
import { nearDuplicateKinds, type Audit } from '../dataset/audit.ts'
import { describeDataset, samplesOf, type Dataset, type Sample } from '../dataset/dataset.ts'
import type { Split } from '../dataset/listed-photo.ts'
import { chartFile } from './charts/chart.ts'
import { classCountsChart } from './charts/class-bars.ts'

const tile = 128
const caption = 30
/** Photos of a group that are shown. */
const shownOfGroup = 6
/** Groups that are shown: a picture has at most 65,535 rows, and nobody looks at more. */
const shownGroups = 200

/**
 * Writes what an audit found as pictures: `class-counts.svg`, and `near-duplicates.jpg` where there are any, a row a group:
 * first those across classes, then those across splits. Returns the paths.
 */
export async function writeAuditPictures(folder: string, dataset: Dataset, audit: Audit): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const counts = join(folder, 'class-counts.svg')
  await writeFileAtomic(counts, chartFile(classCountsChart(classesOf(dataset), { alone: true })))
  const groups = nearDuplicateKinds.flatMap((kind) => audit.problems.filter((problem) => problem.kind === kind))
  if (groups.length === 0) return [counts]
  const copies = join(folder, 'near-duplicates.jpg')
  await writeFileAtomic(copies, await groupSheet(dataset, groups.slice(0, shownGroups)))
  return [counts, copies]
}

function classesOf(dataset: Dataset) {
  const { train, valid } = describeDataset(dataset).counts
  return dataset.labels.map((label) => ({ label, train: train[label]!, valid: valid[label]! }))
}

/** A JPEG: a row a group, each photo above its split, label and file name. */
async function groupSheet(dataset: Dataset, groups: readonly { readonly ids: readonly string[] }[]): Promise<Buffer> {
  const photos = new Map([...samplesOf(dataset)].map(({ sample, split }) => [sample.id, { sample, split }]))
  // One photo at a time: what is decoded may be large.
  const limit = pLimit(1)
  const cells = groups.flatMap(({ ids }, row) =>
    ids.slice(0, shownOfGroup).map((id, column) => ({ row, column, photo: photos.get(id)! })),
  )
  const tiles = await limit.map(cells, ({ row, column, photo }) =>
    cell(photo, column * (tile + 4), row * (tile + caption)),
  )
  const columns = Math.min(shownOfGroup, Math.max(...groups.map(({ ids }) => ids.length)))
  return sharp({
    create: {
      width: columns * (tile + 4),
      height: groups.length * (tile + caption),
      channels: 3,
      background: 'white',
    },
  })
    .composite(tiles.flat())
    .jpeg({ quality: 85 })
    .toBuffer()
}

async function cell(
  { sample, split }: { sample: Sample; split: Split },
  left: number,
  top: number,
): Promise<OverlayOptions[]> {
  const { pixels, width, height } = await decodeImage(await readFile(sample.path))
  const picture = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(tile, tile, { fit: 'contain', background: 'white' })
    .png()
    .toBuffer()
  const name = sample.id.slice(sample.id.lastIndexOf('/') + 1)
  return [
    { input: picture, left, top },
    { input: await textPicture([`${split} ${sample.label}`, name]), left, top: top + tile },
  ]
}

/** Small print, of two lines. */
async function textPicture(lines: readonly string[]): Promise<Buffer> {
  const spans = lines.map((line, index) => html`<text x="1" y="${11 + 12 * index}">${oneLine(line, 24)}</text>`)
  const svg = html`<svg
    xmlns="http://www.w3.org/2000/svg"
    width="${tile}"
    height="${caption - 2}"
    font-family="sans-serif"
    font-size="10"
  >
    ${spans}
  </svg>`
  return sharp(Buffer.from(svg.text)).png().toBuffer()
}
