import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dataFolders } from '../testing/data-folders.ts'
import { makePipe } from '../testing/odd-files.ts'
import { listPhotos } from './listing.ts'

const { folderOf } = dataFolders()

const ids = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id)

describe('class folders', () => {
  it('without a photo are said, with what they hold, and have no label', async () => {
    const { path, at } = await folderOf(['a/1.jpg', 'b/2.jpg', 'raw/DSC1.CR2', 'raw/deep/DSC2.CR2', '@eaDir/3.jpg'])
    await symlink('../a', at('raw/all'))
    const { photos, emptyClasses, ignored, passedOver } = await listPhotos(path)
    expect(ids(photos)).toEqual(['a/1.jpg', 'b/2.jpg'])
    expect(emptyClasses).toEqual([{ id: 'raw', reason: 'holds no photo; 2 files of another kind, such as DSC1.CR2' }])
    expect(ignored).toEqual(['raw/DSC1.CR2', 'raw/deep/DSC2.CR2'])
    expect(ids(passedOver)).toEqual(['@eaDir', 'raw/all'])
  })

  it('are empty only if they are in every split', async () => {
    const { path } = await folderOf([
      'train/1-a/1.jpg',
      'train/b/2.jpg',
      'train/c/notes.txt',
      'valid/a/notes.txt',
      'valid/b/3.jpg',
      'valid/c/notes.txt',
    ])
    const { emptyClasses } = await listPhotos(path)
    expect(ids(emptyClasses)).toEqual(['train/c'])
  })

  it('have photos beside them that are of none, and runs and models that are no classes', async () => {
    const { path } = await folderOf([
      '1.jpg',
      'a/1.jpg',
      'b/1.jpg',
      'runs/x/recipe.json',
      'runs/x/data.json',
      'models/m/1/manifest.json',
      'models/m/1/config.json',
    ])
    const { photos, passedOver, emptyClasses } = await listPhotos(path)
    expect(ids(photos)).toEqual(['a/1.jpg', 'b/1.jpg'])
    expect(ids(passedOver)).toEqual(['1.jpg', 'models', 'runs'])
    expect(emptyClasses).toEqual([])
  })
})

describe('others/', () => {
  it('is of no class, in any case of letters and any depth', async () => {
    const { path } = await folderOf(['a/1.jpg', 'b/1.jpg', 'Others/deep/1.jpg', 'Others/2.png', 'Others/notes.txt'])
    const { photos, others } = await listPhotos(path)
    expect(ids(photos)).toEqual(['a/1.jpg', 'b/1.jpg'])
    expect(others.map(({ id, path: file }) => [id, file])).toEqual([
      ['Others/2.png', join(path, 'Others/2.png')],
      ['Others/deep/1.jpg', join(path, 'Others/deep/1.jpg')],
    ])
  })

  it('lies beside the splits or in them', async () => {
    const { path } = await folderOf(['train/a/1.jpg', 'train/others/1.jpg', 'val/a/2.jpg', 'others/3.jpg'])
    const { photos, others } = await listPhotos(path)
    expect(photos.map(({ id, split }) => [id, split])).toEqual([
      ['train/a/1.jpg', 'train'],
      ['val/a/2.jpg', 'valid'],
    ])
    expect(ids(others)).toEqual(['others/3.jpg', 'train/others/1.jpg'])
  })
})

describe('splits', () => {
  it('have several spellings, and beside them folders that hold no photo', async () => {
    const { path } = await folderOf(['Training/a/1.jpg', 'VALIDATION/a/2.jpg', 'testing/a/3.jpg', 'docs/readme.txt'])
    const { photos, passedOver, form } = await listPhotos(path)
    expect(form).toBe('splits')
    expect(photos.map(({ split }) => split)).toEqual(['train', 'valid', 'test'])
    expect(passedOver).toEqual([{ id: 'docs', reason: 'a folder without photos that is no split', system: false }])
  })

  it.each([['test'], ['validation']])('may be %s alone for a measurement', async (name) => {
    const { path } = await folderOf([`${name}/a/1.jpg`])
    await expect(listPhotos(path)).rejects.toMatchObject({ code: 'DATA_SPLIT_UNKNOWN' })
    const { photos } = await listPhotos(path, { partial: true })
    expect(photos.map(({ split }) => split)).toEqual([name === 'test' ? 'test' : 'valid'])
  })
})

it.each(['data', 'data.csv'])('waits for no pipe in the place of the data: %s', async (name) => {
  const { at } = await folderOf([])
  await makePipe(at(name))
  await expect(listPhotos(at(name))).rejects.toMatchObject({ code: 'DATA_FORM', message: `"${at(name)}" is a pipe.` })
})

it('says that data is a link in a circle', async () => {
  const { at } = await folderOf([])
  await symlink('data', at('data'))
  await expect(listPhotos(at('data'))).rejects.toMatchObject({
    code: 'DATA_UNREADABLE',
    message: `"${at('data')}" cannot be read: it is a link that leads in a circle.`,
  })
})
