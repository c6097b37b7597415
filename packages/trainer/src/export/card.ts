import { markdownList, markdownTable, markdownText } from '@flowers/shared/markdown'
import type { Manifest } from '@flowers/shared/model/manifest'
import type { CalibrationQuality } from '../measure/calibrate.ts'
import { mostConfused, type Measures } from '../measure/measure.ts'
import { exactShare } from '../measure/bootstrap.ts'
import { shotGroups, shotNames, shotRanges } from '../measure/shots.ts'
import type { CalibratedRejector } from '../evaluate/calibrate-network.ts'
import { choosingPhotos } from '../measure/split-validation.ts'
import { phaseNames, type Recipe } from '../recipe/schema.ts'
import { weightsName } from '../recipe/weights-name.ts'
import { percent, withInterval } from '../console/format.ts'
import { calibrationSection } from './card-calibration.ts'
import type { Parity } from './parity.ts'

/** What a card is made of. */
export interface CardFacts {
  readonly manifest: Omit<Manifest, 'files'>
  readonly recipe: Recipe
  readonly checkpoint: { readonly phase: string; readonly epoch: number }
  readonly splitBy: 'given' | 'stratified'
  readonly measures: Measures
  readonly calibration: CalibrationQuality
  /** Null: nothing is refused. */
  readonly known: CalibratedRejector | null
  readonly parity: Parity
  /** Photos of the gate that were training photos, the validation photos being too few. */
  readonly parityFromTraining: number
  /** Share of right answers by the first k views alone. */
  readonly top1ByViews: readonly number[]
  /** Training photos by class. */
  readonly trainCounts: readonly number[]
  /** Why no calibration was fitted, where none was. */
  readonly why: string
  /** Markdown from the maker of the model; null: none. */
  readonly notes: string | null
}

/** The model card: YAML front matter of the Hugging Face hub, then Markdown. Made of the run; only its notes are written by hand. */
export function modelCard(facts: CardFacts): string {
  return [frontMatter(facts), ...sections.map((section) => section(facts))].filter(Boolean).join('\n\n') + '\n'
}

// JSON strings are YAML strings.
const text = (value: string): string => JSON.stringify(value)

function frontMatter({ manifest }: CardFacts): string {
  const { name, metrics, architecture } = manifest
  const metric = (type: string, label: string, value: number): string[] => [
    `          - type: ${type}`,
    `            name: ${label}`,
    `            value: ${value.toFixed(4)}`,
  ]
  return [
    '---',
    'pipeline_tag: image-classification',
    'library_name: transformers.js',
    `tags: [flowers, fine-grained, onnx, ${text(architecture)}]`,
    'metrics: [accuracy, f1]',
    'model-index:',
    `  - name: ${text(`${name} ${manifest.version}`)}`,
    '    results:',
    '      - task:',
    '          type: image-classification',
    '        dataset:',
    `          name: ${text(name)}`,
    '          type: imagefolder',
    `          split: ${metrics.split}`,
    '        metrics:',
    ...metric('accuracy', 'top-1', metrics.top1.value),
    ...metric('accuracy', 'top-5', metrics.top5.value),
    ...metric('f1', 'macro-F1', metrics.macroF1.value),
    '---',
  ].join('\n')
}

const sections: readonly ((facts: CardFacts) => string)[] = [
  title,
  use,
  data,
  accuracy,
  ({ manifest, calibration, known, why }) => calibrationSection({ ...manifest, quality: calibration, known, why }),
  training,
  exported,
  limits,
  notesSection,
  classTable,
]

function title({ manifest }: CardFacts): string {
  const { name, version, architecture, labels, preprocessing } = manifest
  return `# ${name} ${version}\n\n${architecture} at ${preprocessing.size} px that names ${labels.length} kinds of flowers. Made ${manifest.created.slice(0, 10)} by flowers ${manifest.versions['flowers']}.`
}

function use({ manifest }: CardFacts): string {
  const {
    name,
    preprocessing: { size, kernel, cropFraction },
  } = manifest
  return `## Use

For photos that show one of the flowers in the table below, as a suggestion to a person. Not for deciding whether a plant is safe to eat or touch.

\`\`\`sh
MODEL=${name} npm start
curl -F img=@photo.jpg http://localhost:3000/classify
\`\`\`

In JavaScript: \`pipeline('image-classification', FOLDER)\` of transformers.js. In anything that runs ONNX: \`onnx/model.onnx\` maps \`pixel_values\` [N, 3, ${size}, ${size}], normalised as in \`preprocessor_config.json\`, to \`logits\` [N, ${manifest.labels.length}] (no softmax inside), to \`probabilities\` of the same shape${manifest.calibration.known ? ', and to `known` [N], how surely a picture shows one of the flowers' : ''}. Preprocessing: shortest edge to ${Math.round(size / cropFraction)} px (${kernel}), centre ${size} px.`
}

function data({ manifest, splitBy, trainCounts }: CardFacts): string {
  const sorted = trainCounts.toSorted((a, b) => a - b)
  const made = splitBy === 'given' ? 'as the data brings it' : `drawn by class with seed ${manifest.data.seed}`
  return `## Data

${markdownList([
  `${manifest.data.train} training and ${manifest.data.valid} validation photos in ${manifest.labels.length} classes, split ${made}.`,
  `${sorted[0]} to ${sorted.at(-1)} training photos a class, median ${sorted[Math.floor(sorted.length / 2)]}.`,
  `SHA-256 of the list of photos with their hashes, labels and splits: \`${manifest.data.sha256}\`.`,
])}`
}

function whoChose({ data, seed }: Recipe, photos: number): string {
  const choosing = choosingPhotos(Array.from({ length: photos }), data.selection, seed).length
  return choosing === photos
    ? 'These photos also'
    : `${choosing} of these photos, none of those that calibration was fitted on,`
}

function accuracy({ manifest, recipe, measures, top1ByViews, trainCounts }: CardFacts): string {
  const { top1, top5, macroF1 } = manifest.metrics
  const shots = shotGroups(measures.classes, trainCounts)
  const groups = shotNames.flatMap((name) => {
    const { recall, low, high, classes, photos } = shots[name]
    if (recall === null || low === null || high === null) return []
    return [
      `${shotRanges[name]}: ${withInterval({ value: recall, low, high })} of ${photos} photos in ${classes} classes`,
    ]
  })
  const confused = mostConfused(measures.confusion, 5).map(
    ({ truth, predicted, photos }) =>
      `${markdownText(manifest.labels[truth]!)} called ${markdownText(manifest.labels[predicted]!)} (${photos})`,
  )
  return `## Accuracy

On ${top1.count} validation photos, through the preprocessing and the view policy \`${manifest.viewPolicy}\` of the service, with 95 % intervals (exact; of macro-F1 by the bootstrap):

${markdownTable(['top-1', 'top-5', 'macro-F1'], [[top1, top5, macroF1].map(withInterval)]).join('\n')}

${whoChose(recipe, top1.count)} chose the checkpoint, so expect slightly less on others.

${markdownList([
  `Top-1 by number of views: ${top1ByViews.map((share, index) => `${index + 1}: ${withInterval(exactShare(Math.round(share * top1.count), top1.count))}`).join(', ')}.`,
  `Mean recall by number of training photos of the class: ${groups.join('; ')}.`,
  ...(confused.length > 0 ? [`Most frequent confusions: ${confused.join('; ')}.`] : []),
])}`
}

function training({ manifest, recipe, checkpoint }: CardFacts): string {
  const phases = phaseNames.flatMap((name) => {
    const phase = recipe.phases[name]
    if (phase.epochs === 0) return []
    const { epochs, size, batch, trainable, learningRate } = phase
    return [[name, epochs, size, batch, trainable, `${learningRate.backbone} / ${learningRate.head}`]]
  })
  const chosen =
    checkpoint.epoch < 0
      ? `the start of phase ${checkpoint.phase}`
      : `epoch ${checkpoint.epoch + 1} of phase ${checkpoint.phase}`
  const { size } = manifest.preprocessing
  const swept =
    recipe.sweep === null
      ? ''
      : `, at ${size} px: both were chosen on the validation photos, the size among ${recipe.sweep.sizes.join(', ')} px and those of the phases`
  const adjusted = manifest.logitAdjustment
    ? ` Logit adjustment: ${manifest.logitAdjustment.tau} times the log of the class prior that training saw is taken off the logits, inside the network.`
    : ''
  return `## Training

Recipe \`${recipe.name}\`, seed ${recipe.seed}, ${recipe.precision}, ${recipe.model.weights === null ? 'from random weights' : `from the weights ${markdownText(weightsName(recipe.model.weights))}`}; the checkpoint is that of ${chosen}${swept}.${adjusted} The whole recipe is in \`manifest.json\`.

${markdownTable(['phase', 'epochs, at most', 'pixels', 'batch', 'trained', 'learning rate, backbone / head'], phases).join('\n')}`
}

function exported({ manifest, parity, parityFromTraining }: CardFacts): string {
  const { labels } = manifest
  const source =
    parityFromTraining === 0
      ? 'validation photos'
      : `photos (${parityFromTraining} of them training photos, the validation photos being too few)`
  const flips = parity.flips.map(
    ({ id, trainer, exported, margin }) =>
      `${markdownText(id)}: ${markdownText(labels[trainer]!)} became ${markdownText(labels[exported]!)}, apart by ${margin.toExponential(1)}`,
  )
  return `## Export

The ONNX file was held against the trainer on ${parity.photos} ${source}, through the preprocessing of the service: logits differ by ${parity.maxAbsLogitDifference.toExponential(1)} at most, and ${parity.flips.length} labels change${flips.length > 0 ? ':' : '.'}
${flips.length > 0 ? `\n${markdownList(flips)}\n` : ''}
Made with ${Object.entries(manifest.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.`
}

function limits({ manifest, trainCounts }: CardFacts): string {
  const fewest = trainCounts.reduce((least, count) => Math.min(least, count), Infinity)
  const { known, abstention } = manifest.calibration
  const refuses = Boolean(known ?? abstention)
  return `## Limits

${markdownList([
  `It knows the classes below and nothing else: a photo of another flower, or of none, gets one of these labels${refuses ? ' unless it is refused' : ''}.`,
  manifest.calibration.temperature === null
    ? 'Its scores were not calibrated: a high one need not be right, and less so on photos unlike those of validation (drawings, microscopes, herbarium sheets).'
    : 'Probabilities and thresholds hold for photos like those of validation; others (drawings, microscopes, herbarium sheets) may be answered wrongly with confidence.',
  ...(fewest < 20 ? [`Some classes had as few as ${fewest} training photos; see their rows below.`] : []),
  'The rights to the training photos stay with their photographers; check them before redistributing the weights.',
])}`
}

function notesSection({ notes }: CardFacts): string {
  return notes === null ? '' : `## Notes\n\n${notes.trim()}`
}

function classTable({ manifest, measures, trainCounts }: CardFacts): string {
  const rows = measures.classes.map(({ precision, recall, f1, photos }, index) => {
    const shares =
      photos === 0
        ? ['-', '-', '-']
        : [percent(precision), withInterval(exactShare(Math.round(recall * photos), photos)), percent(f1)]
    return [markdownText(manifest.labels[index]!), ...shares, photos, trainCounts[index]]
  })
  return `## By class

${markdownTable(['class', 'precision', 'recall (95 % interval)', 'F1', 'validation photos', 'training photos'], rows).join('\n')}`
}
