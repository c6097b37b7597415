import { expect, it } from 'vitest'
import { isFinished } from './finished-folder.ts'

const finished = (folders: string[], files: string[]): boolean =>
  isFinished({ folders: new Set(folders), files: new Set(files) })

it.each([
  ['a run', ['checkpoints'], ['recipe.json', 'data.json', 'metrics.jsonl', 'report.html']],
  ['a run without checkpoints', [], ['recipe.json', 'data.json']],
  ['a run that has only begun', ['checkpoints'], []],
  ['a run that only has its lock', [], ['run.lock']],
  ['a run that only has its owner', [], ['.owner.1.json', '._1.jpg']],
  ["the demo's flowers", ['train', 'valid'], ['.drawn.json']],
  ['a model', ['onnx'], ['manifest.json', 'README.md']],
])('%s is finished', (_, folders, files) => {
  expect(finished(folders, files)).toBe(true)
})

it.each([
  ['photos with a list', [], ['data.json', '1.jpg']],
  ['photos beside a folder of that name', ['checkpoints'], ['1.jpg']],
  ['years of photos beside a lock', ['2020', '2021'], ['.lock', 'a.lock']],
  ['folders of classes', ['rose', 'checkpoints'], []],
  ['nothing', [], []],
])('%s are not', (_, folders, files) => {
  expect(finished(folders, files)).toBe(false)
})
