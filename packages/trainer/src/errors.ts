import { FlowersError, type ErrorEntry } from '@flowers/shared/errors'

/** The kinds of failure that only the trainer has. */
export const trainerErrors = {
  USAGE: { exit: 2, title: 'Wrong usage', remedy: 'Run the command with --help.' },
  SYSTEM_DISK_FULL: {
    title: 'Disk full',
    remedy: 'Free some space, then run the command again, or go on with --resume; what was saved before is intact.',
  },
  SYSTEM_NO_PERMISSION: {
    title: 'No permission',
    remedy: 'Choose a folder you may write to, or change its permissions; a run goes on with --resume.',
  },
  SYSTEM_FILE: {
    title: 'A file cannot be used',
    remedy: 'Check the path and the disk that it is on, then run the command again; a run goes on with --resume.',
  },
  SYSTEM_TOO_MANY_FILES: {
    title: 'Too many open files',
    remedy: 'Raise the limit with `ulimit -n`, then run the command again.',
  },
  MODEL_FOLDER: {
    exit: 2,
    title: 'Not a model folder',
    remedy: 'Name a folder that `export` made, models/<name>/<version>, or models/<name> for its highest version.',
  },
  DATA_NOT_FOUND: {
    exit: 2,
    title: 'No such data',
    remedy:
      'Name a folder with a folder per class, a folder with train/ and valid/ of those, or a CSV with the header path,label[,split].',
  },
  DATA_FORM: {
    exit: 2,
    title: 'Not a form of data',
    remedy:
      'Name a folder with a folder per class, a folder with train/ and valid/ of those, or a CSV with the header path,label[,split].',
  },
  DATA_EMPTY: {
    title: 'No photos',
    remedy: 'Put the photos of each class in a folder of its own, and remove folders without photos.',
  },
  DATA_UNREADABLE: {
    title: 'Data that cannot be read',
    remedy: 'Give yourself the right to read it (chmod -R u+rX FOLDER), or take it out of the photos.',
  },
  DATA_NAME: {
    title: 'Folder whose name cannot be read',
    remedy:
      'Rename it, by that line with the name that is meant; where there are many, `convmv -f latin1 -t utf8 -r --notest FOLDER` renames all below a folder.',
  },
  DATA_NOT_VALIDATED: {
    title: 'No photo to check on',
    remedy:
      'Give the split yourself, by folders train/ and valid/ or by a CSV with the column split, or add photos of each class that were taken another time.',
  },
  DATA_ONE_CLASS: {
    title: 'One class only',
    remedy: 'A classifier needs at least two classes: add the photos of another.',
  },
  DATA_CSV: {
    title: 'Corrupt CSV',
    remedy: 'Correct the line; the header is path,label or path,label,split, and paths are relative to the CSV.',
  },
  DATA_SPLIT_UNKNOWN: {
    title: 'Unknown split',
    remedy: 'Name the splits train and valid (or val); test is kept aside. Move other folders elsewhere.',
  },
  DATA_PHOTO_MISSING: {
    title: 'Photo missing',
    remedy: 'Paths in the CSV are relative to the CSV; correct them or remove the lines.',
  },
  DATA_CLASS_NOT_IN_TRAIN: {
    title: 'Class without training photos',
    remedy: 'Add training photos of the class, or remove it from the other split.',
  },
  DATA_CLASS_TOO_SMALL: {
    title: 'Class too small to split',
    remedy: 'Add a second photo of the class, or give the split yourself.',
  },
  DATA_NOTHING_LEFT: {
    title: 'Too few photos left',
    remedy:
      'Add photos that can be used, or take the class out of the data; where data.ignore is named, shorten that list.',
  },
  DATA_AUDIT: {
    title: 'Data would corrupt the result',
    remedy:
      'Correct the photos that are listed, or leave them out: train does so by itself in the recipe quick, and with --set data.exclude=audit in any other.',
  },
  DATA_IMAGE_LOST: {
    title: 'Photo lost during a run',
    remedy:
      'Restore the photo and run the command again; a run has saved and goes on with --resume. If it is lost for good, start a new run from checkpoints/best.safetensors with --weights.',
  },
  DATA_OTHERS: {
    title: 'Photos of the classes among those of others',
    remedy:
      'Name a folder of photos that show none of the classes (--others), and take those of the classes out of it.',
  },
  LABELS_DECISION: {
    title: 'A decision that cannot be carried out',
    remedy:
      'Correct the line: leave the decision empty where the label is right, or write drop, a label of the data, or new:LABEL.',
  },
  RECIPE_UNKNOWN: {
    exit: 2,
    title: 'No such recipe',
    remedy: 'Name one of the recipes, or a JSON file such as the recipe.json of a run.',
  },
  RECIPE_INVALID: {
    exit: 2,
    title: 'Recipe does not hold together',
    remedy: 'Correct the settings named; docs/recipes.md lists all of them.',
  },
  RECIPE_SETTING: {
    exit: 2,
    title: 'No such setting',
    remedy: 'Write --set path=value, with a path that the recipe has, such as --set phases.full.epochs=20.',
  },
  WEIGHTS_UNKNOWN: {
    exit: 2,
    title: 'No such weights',
    remedy: 'Name weights of docs/weights.md, or a .safetensors file that exists.',
  },
  WEIGHTS_ARCHITECTURE: {
    exit: 2,
    title: 'Weights of another architecture',
    remedy: 'Set model.architecture to that of the weights, or name other weights.',
  },
  WEIGHTS_DOWNLOAD: {
    title: 'Weights not downloaded',
    remedy:
      'Check the connection, and HTTPS_PROXY if there is a proxy, or name a file of your own with --weights; what came is kept.',
  },
  WEIGHTS_CHANGED: {
    title: 'Weights are not those that are pinned',
    remedy:
      'Nothing of them was kept. Try again; if it stays, the publisher has replaced the file, or the connection alters it.',
  },
  TRAIN_BATCH_TOO_LARGE: {
    exit: 2,
    title: 'Batch larger than the data',
    remedy: 'Choose a smaller batch: --set phases.<name>.batch=8.',
  },
  TRAIN_DATA_CHANGED: {
    title: 'Data changed since the run began',
    remedy: 'Put the photos that are named back as they were, or start a new run. Photos that were added do no harm.',
  },
  TRAIN_DIVERGED: {
    title: 'Training diverged',
    remedy:
      'Start a new run with a smaller learning rate or a smaller clipNorm, from the best checkpoint where one is named, which is intact (--weights FILE); in float16, also try --set precision=float32.',
  },
  TRAIN_MEMORY: {
    title: 'Out of memory',
    remedy:
      'Start again with the batch that is named (phases.<name>.accumulate makes up for it), or a smaller size; what was saved is intact.',
  },
  TRAIN_TEACHER: {
    exit: 2,
    title: 'A teacher that cannot teach these classes',
    remedy:
      'Name models in `teacher.models` that know every class of the photos by the same label, or leave the teacher out.',
  },
  TRAIN_RUN_BUSY: {
    title: 'Run folder in use by another process',
    remedy: 'Wait until it has ended or stop it, then run the command again; a new run beside it takes another --out.',
  },
  TRAIN_RUN_DAMAGED: {
    title: 'A file of the run is damaged',
    remedy:
      'Copy the run folder again from where it is whole, or start a new run; from weights that are whole with --weights checkpoints/best.safetensors.',
  },
  TRAIN_RUN_EXISTS: {
    exit: 2,
    title: 'Run folder not empty',
    remedy: 'Choose another --out, or continue the run with --resume.',
  },
  TRAIN_RUN_MISSING: {
    exit: 2,
    title: 'Not a run folder',
    remedy: 'Name a folder that `train` made: it holds recipe.json and data.json.',
  },
  TRAIN_STATE_INVALID: {
    title: 'Saved state does not fit',
    remedy:
      'The file is damaged or belongs to another recipe; start a new run from checkpoints/best.safetensors with --weights FILE.',
  },
  EXPORT_TARGET: {
    exit: 2,
    title: 'Not a place for a model',
    remedy: 'End the path with a name and a version: models/<name>/<version>, the version a positive integer.',
  },
  EXPORT_CONVERTER: {
    title: 'Conversion to ONNX failed',
    remedy:
      'Read the lines of the converter; if a Python package is missing, remove packages/tensorflow/.venv and export again.',
  },
  EXPORT_PARITY: {
    title: 'The ONNX file disagrees with the trainer',
    remedy: 'This is a defect of the export; nothing was written. Report it with the recipe.',
  },
  EXPORT_KNOWN: {
    title: 'The ONNX file disagrees with what was fitted',
    remedy: 'This is a defect of the export; nothing was written. Report it with the recipe.',
  },
  EVALUATE_LABELS: {
    title: 'Classes that the model does not know',
    remedy: 'Evaluate or calibrate on photos of the classes in the manifest of the model.',
  },
  EVALUATE_SPLIT: {
    title: 'No photos in this split',
    remedy: 'Ask for a split that has photos, with evaluate --split, or for every photo, with --split all.',
  },
  CALIBRATE_FEWER: {
    title: 'Too few photos to calibrate on',
    remedy:
      'Nothing was changed. Name 200 photos or more that the model has not learnt from, in the split valid, and in the split train photos of every class that it has.',
  },
  PREDICT_INPUT: {
    exit: 2,
    title: 'No photos to label',
    remedy: 'Name a photo, or a folder that holds photos, in any depth of folders.',
  },
  PREDICT_UNREADABLE: {
    title: 'No photo could be read',
    remedy: 'The list says why for each file. Name photos, such as JPEG, PNG or WebP, or a folder that holds some.',
  },
  MODEL_UNKNOWN_ARCHITECTURE: { exit: 2, title: 'Unknown architecture', remedy: 'Choose one of the names listed.' },
  MODEL_SAFETENSORS_INVALID: {
    title: 'Not a valid safetensors file',
    remedy: 'Get the file again, or check that it was written completely.',
  },
  MODEL_WEIGHTS_MISMATCH: {
    title: 'Weights do not fit the model',
    remedy: 'Check that the file belongs to this architecture and that head and LayerScale are set as in the file.',
  },
} as const satisfies Record<string, ErrorEntry>

export type TrainerErrorCode = keyof typeof trainerErrors

export class TrainerError extends FlowersError<TrainerErrorCode> {
  constructor(code: TrainerErrorCode, detail: string, options?: ErrorOptions) {
    super(code, trainerErrors[code], detail, options)
  }
}
