import { symlink } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { dataFolders } from '../testing/data-folders.ts'
import { makePipe } from '../testing/odd-files.ts'
import { listInput } from './predict-input.ts'

const { folderOf } = dataFolders()

it('lists files of any name in order of path, without its own', async () => {
  const { path, at } = await folderOf(['b/2.jpg', 'a b', 'a/1', 'results.csv', '.hidden/3.jpg', 'Thumbs.db'])
  await symlink('..', at('b/up'))
  const { photos, passedOver } = await listInput(path, [at('results.csv')])
  expect(photos.map(({ id }) => id)).toEqual(['a b', 'a/1', 'b/2.jpg'])
  expect(passedOver.map(({ id }) => id)).toEqual(['Thumbs.db', 'b/up'])
})

it('takes a hidden folder or a photo where it is named', async () => {
  const { at } = await folderOf(['.hidden/3.jpg'])
  expect((await listInput(at('.hidden'), [])).photos).toMatchObject([{ id: '3.jpg', path: at('.hidden/3.jpg') }])
  expect((await listInput(at('.hidden/3.jpg'), [])).photos).toMatchObject([{ id: '3.jpg', path: at('.hidden/3.jpg') }])
})

it('names what it did not use where nothing is left', async () => {
  const { path, at } = await folderOf(['@eaDir/1.jpg'])
  await makePipe(at('1.jpg'))
  await expect(listInput(path, [])).rejects.toMatchObject({
    code: 'PREDICT_INPUT',
    message: `"${path}" holds no file. Not used: 1.jpg: a pipe; 1 file or folder that systems make: @eaDir.`,
  })
})

it('says in a sentence that the input is a link in a circle or not there', async () => {
  const { at } = await folderOf([])
  await symlink('self', at('self'))
  const refused = async (name: string): Promise<unknown> => listInput(at(name), []).catch((error: unknown) => error)
  expect(await refused('self')).toMatchObject({
    code: 'PREDICT_INPUT',
    message: `"${at('self')}" cannot be read: it is a link that leads in a circle.`,
  })
  expect(await refused('gone')).toMatchObject({ message: `There is no file or folder "${at('gone')}".` })
})
