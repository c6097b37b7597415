import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { makePipe, makeSocket } from '../testing/odd-files.ts'
import { testFolder } from '../testing/test-photos.ts'
import { fileSystem, Walk, type FileSystem } from './walk.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function folderOf(names: readonly string[]) {
  const folder = await testFolder(Object.fromEntries(names.map((name) => [name, 'any bytes'])))
  cleanups.push(folder.remove)
  return { ...folder, at: (name: string) => join(folder.path, name) }
}

async function walked(root: string, system?: FileSystem) {
  const walk = await Walk.start(root, system)
  const files = await walk.filesUnder(walk.root)
  const reasons = Object.fromEntries(walk.passedOver.map(({ id, reason }) => [id, reason]))
  return { files: files.map(({ id }) => id), reasons, passedOver: walk.passedOver }
}

const failing = (code: string): Error => Object.assign(new Error(`${code}: raw words, scandir '/x'`), { code })

describe('links', () => {
  it('in circles are passed over, and said with where they lead', async () => {
    const { path, at } = await folderOf(['rose/1.jpg', 'rose/deep/2.jpg'])
    await symlink('..', at('rose/all'))
    await symlink('.', at('rose/here'))
    await symlink('../..', at('rose/deep/up'))
    await symlink('/', at('rose/everything'))
    await symlink('self.jpg', at('rose/self.jpg'))
    await symlink('b', at('a'))
    await symlink('a', at('b'))
    const { files, reasons } = await walked(path)
    expect(files).toEqual(['rose/1.jpg', 'rose/deep/2.jpg'])
    expect(reasons).toEqual({
      a: 'a link to b, which leads in a circle',
      b: 'a link to a, which leads in a circle',
      'rose/all': `a link to ${path}, which leads in a circle`,
      'rose/deep/up': `a link to ${path}, which leads in a circle`,
      'rose/everything': 'a link to /, which leads in a circle',
      'rose/here': `a link to ${at('rose')}, which leads in a circle`,
      'rose/self.jpg': 'a link to self.jpg, which leads in a circle',
    })
  })

  it('to a folder elsewhere are followed once, and that folder may link in circles of its own', async () => {
    const elsewhere = await folderOf(['3.jpg', 'sub/4.jpg', 'other/5.jpg'])
    await symlink('.', elsewhere.at('sub/back'))
    await symlink('..', elsewhere.at('other/up'))
    await symlink('../sub', elsewhere.at('other/sub'))
    const { path, at } = await folderOf(['rose/1.jpg'])
    await symlink(elsewhere.path, at('rose/more'))
    await symlink(elsewhere.at('sub'), at('rose/once'))
    const { files, reasons } = await walked(path)
    expect(files.toSorted()).toEqual(['rose/1.jpg', 'rose/more/3.jpg', 'rose/more/other/5.jpg', 'rose/once/4.jpg'])
    expect(Object.keys(reasons).toSorted()).toEqual([
      'rose/more/other/sub',
      'rose/more/other/up',
      'rose/more/sub',
      'rose/once/back',
    ])
    expect(reasons['rose/more/sub']).toBe(`the folder ${elsewhere.at('sub')} once more`)
  })

  it('among many folders that all lead to each other end', async () => {
    const many = 45
    const elsewhere = await folderOf(Array.from({ length: many }, (_, index) => `${index}/x.jpg`))
    for (let from = 0; from < many; from++)
      for (let to = 0; to < many; to++)
        if (from !== to) await symlink(elsewhere.at(String(to)), elsewhere.at(`${from}/to-${to}`))
    const { path, at } = await folderOf(['rose/1.jpg'])
    await symlink(elsewhere.at('0'), at('rose/more'))
    const { files } = await walked(path)
    expect(files).toHaveLength(many + 1)
  })

  it('into the folder itself give their photos once, unless they lead to a hidden store', async () => {
    const { path, at } = await folderOf(['rose/1.jpg', '.store/violet/2.jpg', '.store/3.jpg'])
    await symlink('rose', at('latest'))
    await symlink('.store/violet', at('violet'))
    await symlink('../.store/3.jpg', at('rose/3.jpg'))
    const { files, reasons } = await walked(path)
    expect(files).toEqual(['rose/1.jpg', 'rose/3.jpg', 'violet/2.jpg'])
    expect(reasons).toEqual({ latest: 'a link to rose, which is looked at there' })
  })

  it('to nowhere are files where their names are of photos, and said otherwise', async () => {
    const { path, at } = await folderOf(['rose/1.jpg'])
    await symlink('/mnt/unplugged/violet', at('violet'))
    await symlink('gone.jpg', at('rose/2.jpg'))
    const { files, reasons } = await walked(path)
    expect(files).toEqual(['rose/1.jpg', 'rose/2.jpg'])
    expect(reasons).toEqual({
      violet:
        'a link to /mnt/unplugged/violet, which cannot be followed: it is not there, or the link to it leads nowhere',
    })
  })
})

it('opens no pipe, socket or device, whatever their names, and not behind a link', async () => {
  const { path, at } = await folderOf(['rose/1.jpg'])
  await makePipe(at('rose/pipe.jpg'))
  cleanups.push(await makeSocket(at('rose/socket.jpg')))
  await symlink('/dev/zero', at('rose/zero.jpg'))
  await symlink('pipe.jpg', at('rose/linked.jpg'))
  const { files, reasons } = await walked(path)
  expect(files).toEqual(['rose/1.jpg'])
  expect(reasons).toEqual({
    'rose/linked.jpg': 'a link to pipe.jpg, a pipe',
    'rose/pipe.jpg': 'a pipe',
    'rose/socket.jpg': 'a socket',
    'rose/zero.jpg': 'a link to /dev/zero, a device',
  })
})

it('passes over what systems make, at every depth, and names it', async () => {
  const { path } = await folderOf([
    '@eaDir/rose/SYNOPHOTO_THUMB_M.jpg',
    'rose/1.jpg',
    'rose/._1.jpg',
    'rose/.thumbnails/1.jpg',
    'rose/@EADIR/1.jpg/SYNOPHOTO_THUMB_M.jpg',
    'rose/Thumbs.db',
    'rose/deep/#recycle/2.jpg',
  ])
  const { files, passedOver } = await walked(path)
  expect(files).toEqual(['rose/1.jpg'])
  expect(passedOver.map(({ id, system }) => [id, system])).toEqual([
    ['@eaDir', true],
    ['rose/@EADIR', true],
    ['rose/Thumbs.db', true],
    ['rose/deep/#recycle', true],
  ])
})

it('passes over folders of runs and models, and folders that hold nothing else', async () => {
  const { path } = await folderOf([
    'rose/1.jpg',
    'runs/a/recipe.json',
    'runs/a/data.json',
    'runs/a/report/1.jpg',
    'runs/b/checkpoints/best.safetensors',
    'runs/c/.owner.1.json',
    'models/mine/1/manifest.json',
    'models/mine/1/onnx/model.onnx',
    'models/default',
    'violet/2.jpg',
    'violet/run/recipe.json',
    'violet/run/environment.json',
  ])
  const { files, reasons } = await walked(path)
  expect(files).toEqual(['rose/1.jpg', 'violet/2.jpg'])
  const reason = 'a folder of runs or models'
  expect(reasons).toEqual({ models: reason, runs: reason, 'violet/run': reason })
})

it('keeps a folder that holds photos beside runs, and links to photos beside runs', async () => {
  const elsewhere = await folderOf(['3.jpg'])
  const { path, at } = await folderOf(['rose/runs/a/recipe.json', 'rose/runs/a/data.json', 'rose/runs/b/1.jpg'])
  await symlink(elsewhere.path, at('rose/runs/more'))
  const { files, reasons } = await walked(path)
  expect(files).toEqual(['rose/runs/b/1.jpg', 'rose/runs/more/3.jpg'])
  expect(reasons).toEqual({ 'rose/runs/a': 'a folder of runs or models' })
})

describe.skipIf(process.platform === 'darwin')('names that are no UTF-8', () => {
  const cafe = Buffer.from('caf\xe9', 'latin1')
  const within = (folder: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name])

  it('of files are said with their bytes', async () => {
    const { path, at } = await folderOf(['rose/1.jpg'])
    await writeFile(within(at('rose'), Buffer.concat([cafe, Buffer.from('.jpg')])), 'any bytes')
    const { files, reasons } = await walked(path)
    expect(files).toEqual(['rose/1.jpg'])
    expect(reasons).toEqual({ 'rose/caf\\xe9.jpg': 'its name is not UTF-8; rename it to use it' })
  })

  it('of folders are an error with a line that renames them', async () => {
    const { path } = await folderOf(['rose/1.jpg'])
    await mkdir(within(path, cafe))
    await expect(walked(path)).rejects.toMatchObject({
      code: 'DATA_NAME',
      message: `The name of the folder "${path}/caf\\xe9" is not UTF-8. A line that renames it: mv -- ${path}/$'caf\\xe9' ${path}/$'café'`,
    })
    await rename(within(path, cafe), join(path, 'café'))
    expect((await walked(path)).files).toEqual(['rose/1.jpg'])
  })
})

describe('what the system refuses', () => {
  const refusing = (name: string, code: string): FileSystem => ({
    ...fileSystem,
    readdir: (path) => (path.endsWith(name) ? Promise.reject(failing(code)) : fileSystem.readdir(path)),
  })

  it.each([
    ['EACCES', 'you have no right to read it'],
    ['EIO', 'the drive reports an error'],
    ['ESTALE', 'the drive or the network does not answer'],
  ])('%s of a folder is an error in a sentence', async (code, why) => {
    const { path, at } = await folderOf(['rose/1.jpg', 'violet/deep/2.jpg'])
    await expect(walked(path, refusing('deep', code))).rejects.toMatchObject({
      code: 'DATA_UNREADABLE',
      message: `The folder "${at('violet/deep')}" cannot be read: ${why}.`,
    })
  })

  it('a folder that is gone by now is empty, and the limit of open files is no fault of a folder', async () => {
    const { path } = await folderOf(['rose/1.jpg', 'violet/2.jpg'])
    expect((await walked(path, refusing('violet', 'ENOENT'))).files).toEqual(['rose/1.jpg'])
    await expect(walked(path, refusing('violet', 'EMFILE'))).rejects.toMatchObject({ code: 'EMFILE' })
  })

  it('a link that may not be followed is listed as a photo by its name, and said otherwise', async () => {
    const { path, at } = await folderOf(['rose/1.jpg'])
    await symlink('/elsewhere/2.jpg', at('rose/2.jpg'))
    await symlink('/elsewhere/more', at('rose/more'))
    const stat = (() => Promise.reject(failing('EACCES'))) as unknown as FileSystem['stat']
    const { files, reasons } = await walked(path, { ...fileSystem, stat })
    expect(files).toEqual(['rose/1.jpg', 'rose/2.jpg'])
    expect(reasons).toEqual({
      'rose/more': 'a link to /elsewhere/more, which cannot be followed: you have no right to read it',
    })
  })
})
