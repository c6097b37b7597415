import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { modelsFolder, requireModelName, serveCommand } from './models-folder.ts'

const repository = dirname(fileURLToPath(new URL('../../../../package.json', import.meta.url)))

const standIn = (folder: string, models = ''): void => {
  vi.stubEnv('INIT_CWD', folder)
  vi.stubEnv('MODELS_DIR', models)
}
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the folder of models', () => {
  it.each(['', '/packages/trainer'])('is what npm start serves for one who stands in the repository%s', (place) => {
    standIn(repository + place)
    expect(modelsFolder()).toBe(join(repository, 'models'))
  })

  it.each(['/home/me', `${repository}-2`])('is below %s, outside of the repository', (place) => {
    standIn(place)
    expect(modelsFolder()).toBe(join(place, 'models'))
  })

  it('is MODELS_DIR where that is set', () => {
    standIn('/home/me', 'served')
    expect(modelsFolder()).toBe('/home/me/served')
  })
})

describe('the command that serves', () => {
  it('is that of the README where the person stands in the repository', () => {
    standIn(repository)
    expect(serveCommand(modelsFolder(), 'mine')).toBe('npm start -- --model mine')
  })

  it('names the folders elsewhere', () => {
    standIn('/home/me')
    expect(serveCommand('/home/me/my models', 'mine')).toBe(
      `npm --prefix ${repository} start -- --models-dir '/home/me/my models' --model mine`,
    )
  })
})

describe('a name', () => {
  it.each([
    ['My Roses', '--name my-roses'],
    ['default', '--name flowers'],
    ['', '--name flowers'],
    ['../up', '--name up'],
  ])('"%s" is refused with a proposal', async (name, proposal) => {
    await expect(requireModelName(name)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(proposal) as string,
    })
  })

  it('is refused where nothing can be written, and nothing is made', async () => {
    const folder = await testFolder({ 'models/taken': '' })
    standIn(folder.path)
    await expect(requireModelName('taken')).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(requireModelName('mine')).resolves.toBeUndefined()
    await folder.remove()
  })
})
