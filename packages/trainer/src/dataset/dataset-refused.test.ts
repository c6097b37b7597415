import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { dataFolders, photos } from '../testing/data-folders.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

const { cleanups, folderOf, failure } = dataFolders()

describe('what is refused', () => {
  it.each<[string, string[], string, RegExp]>([
    ['an empty folder', [], 'DATA_FORM', /no class folder/],
    ['photos without class folders', ['1.jpg', '2.jpg'], 'DATA_FORM', /2 photos but no class folder/],
    [
      'class folders without photos alone',
      ['a/readme.txt', 'b/DSC1.CR2', 'b/DSC2.CR2'],
      'DATA_EMPTY',
      /b: holds no photo; 2 files of another kind, such as DSC1.CR2/,
    ],
    ['one class', photos('a', 3), 'DATA_ONE_CLASS', /All 3 photos .* label "a"\.$/],
    [
      'one class and an empty one',
      [...photos('a', 3), 'b/readme.txt'],
      'DATA_ONE_CLASS',
      /label "a"\. Not used: b: holds no photo; 1 file of/,
    ],
    [
      'one class and others',
      [...photos('a', 3), 'Others/x.jpg'],
      'DATA_ONE_CLASS',
      /The photos of others\/ are of no class/,
    ],
    ['others alone', ['others/x.jpg'], 'DATA_FORM', /no class folder, and others\/ is of no class/],
    ['a class with one photo to split', [...photos('a', 3), 'b/1.jpg'], 'DATA_CLASS_TOO_SMALL', /"b" has one photo/],
    [
      'a class only in valid',
      ['train/a/1.jpg', 'train/b/1.jpg', 'valid/c/1.jpg'],
      'DATA_CLASS_NOT_IN_TRAIN',
      /"c" is in valid/,
    ],
    [
      'a class only in test',
      ['train/a/1.jpg', 'train/b/1.jpg', 'valid/a/2.jpg', 'test/c/1.jpg'],
      'DATA_CLASS_NOT_IN_TRAIN',
      /"c" is in test/,
    ],
    [
      'an unknown split folder',
      ['train/a/1.jpg', 'train/b/1.jpg', 'dev/a/2.jpg'],
      'DATA_SPLIT_UNKNOWN',
      /"dev", which is no split/,
    ],
    [
      'two spellings of a split',
      ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/2.jpg', 'Valid/b/2.jpg'],
      'DATA_SPLIT_UNKNOWN',
      /Valid\/ and val\/, which both name the split valid/,
    ],
    ['valid/ without train/', ['valid/a/1.jpg', 'valid/b/1.jpg'], 'DATA_SPLIT_UNKNOWN', /valid\/ but no train\//],
    [
      'train/ and test/ without photos to validate on',
      ['train/a/1.jpg', 'train/b/1.jpg', 'test/b/2.jpg'],
      'DATA_NOT_VALIDATED',
      /validate/,
    ],
  ])('%s', async (_, names, code, message) => {
    const error = await failure((await folderOf(names)).path)
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.entry.remedy.length).toBeGreaterThan(10)
  })

  it('a path that is not there, a file that is no CSV', async () => {
    expect((await failure('/nowhere/at/all')).code).toBe('DATA_NOT_FOUND')
    const folder = await folderOf(['list.txt'])
    expect((await failure(join(folder.path, 'list.txt'))).code).toBe('DATA_FORM')
    expect((await failure(join(folder.path, 'list.txt', 'x'))).code).toBe('DATA_NOT_FOUND')
  })

  it.each<[string, string, string, RegExp]>([
    ['no content', '', 'DATA_CSV', /line 1: the file is empty/],
    ['no rows', 'path,label\n', 'DATA_EMPTY', /no photo/],
    ['another header', 'file,class\na.jpg,a\n', 'DATA_CSV', /line 1: the header is "file,class"/],
    ['an unknown column', 'path,label,splits\na.jpg,a,train\n', 'DATA_CSV', /line 1: the header/],
    [
      'a missing field',
      'path,label,split\na.jpg,a,train\nb.jpg,b\n',
      'DATA_CSV',
      /line 3: 2 fields where the header has 3/,
    ],
    ['an open quote', 'path,label\na.jpg,a\n"b.jpg,b\n', 'DATA_CSV', /line \d: a quote is opened and not closed/],
    ['an empty label', 'path,label\na.jpg,a\n\nb.jpg,\n', 'DATA_CSV', /line 4: the label is empty/],
    ['an empty path', 'path,label\n,a\n', 'DATA_CSV', /line 2: the path is empty/],
    [
      'a repeated path',
      'path,label\na.jpg,a\nb.jpg,b\n./a.jpg,b\n',
      'DATA_CSV',
      /line 4: the path ".\/a.jpg" is already on line 2/,
    ],
    [
      'a split on some lines',
      'path,label,split\na.jpg,a,train\nb.jpg,b,\n',
      'DATA_CSV',
      /line 3: no split, but line 2 has one/,
    ],
    ['an unknown split', 'path,label,split\na.jpg,a,train\nb.jpg,b,dev\n', 'DATA_SPLIT_UNKNOWN', /line 3: "dev"/],
    [
      'a photo that is not there',
      'path,label\na.jpg,a\ngone.jpg,b\nlost.jpg,b\n',
      'DATA_PHOTO_MISSING',
      /line 3: there is no file "gone.jpg".*1 more/,
    ],
    ['one class', 'path,label\na.jpg,a\nb.jpg,a\n', 'DATA_ONE_CLASS', /label "a"/],
  ])('a CSV with %s', async (_, text, code, message) => {
    const folder = await folderOf(['a.jpg', 'b.jpg'], { 'list.csv': text })
    const error = await failure(join(folder.path, 'list.csv'))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  })

  it('a CSV that is not text', async () => {
    const folder = await folderOf([])
    await folder.write('list.csv', Uint8Array.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe, 0x00]))
    expect(await failure(join(folder.path, 'list.csv'))).toMatchObject({
      code: 'DATA_CSV',
      message: expect.stringMatching(/not UTF-8/) as string,
    })
  })
})

it('names near copies as the cause where none is left to validate on', async () => {
  const files: Record<string, Uint8Array> = {}
  for (const [seed, label] of ['a', 'b'].entries())
    for (const [index, quality] of [70, 80, 90].entries())
      files[`${label}/${index}.jpg`] = await sharp(await testPhoto(seed, 160, 120))
        .jpeg({ quality })
        .toBuffer()
  const folder = await testFolder(files)
  cleanups.push(folder.remove)
  const error = await failure(folder.path)
  expect([error.code, error.message]).toEqual([
    'DATA_NOT_VALIDATED',
    expect.stringMatching(/near copies of one another/),
  ])
  expect(error.entry.remedy).toMatch(/train\/ and valid\/.*CSV.*add photos/)
})
