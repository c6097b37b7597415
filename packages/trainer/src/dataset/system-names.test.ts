import { expect, it } from 'vitest'
import { isHidden, isSystemName } from './system-names.ts'

it.each([
  '@eaDir',
  '@EADIR',
  '#recycle',
  '#snapshot',
  '@Recycle',
  '@Recently-Snapshot',
  '$RECYCLE.BIN',
  '$Recycle.Bin',
  'RECYCLER',
  'DfsrPrivate',
  'System Volume Information',
  'FOUND.000',
  'Thumbs.db',
  'thumbs.db:encryptable',
  'ehthumbs_vista.db',
  'Desktop.ini',
  '~$list.xlsx',
  '__MACOSX',
  '._rose.jpg',
  'Icon\r',
  'Network Trash Folder',
  'lost+found',
  'LOST.DIR',
  'rose.jpg@SynoEAStream',
  'files_trashbin',
  '~syncthing~rose.jpg.tmp',
  'THMBNL',
  'Thumbnails',
  '_thumbs',
  'Mine Previews.lrdata',
  'Mine.photoslibrary',
])('%j is made by a system', (name) => {
  expect(isSystemName(name)).toBe(true)
})

it.each(['rose', 'Thunbergia', 'recycled-paper-flower', '@rose', '#1', 'thumbs.jpg', 'others', 'trash', '$rose'])(
  '%j is not',
  (name) => {
    expect([isSystemName(name), isHidden(name)]).toEqual([false, false])
  },
)

it.each(['.git', '.@__thumb', '.thumbnails', '.DS_Store'])('%j is hidden', (name) => {
  expect(isHidden(name)).toBe(true)
})
