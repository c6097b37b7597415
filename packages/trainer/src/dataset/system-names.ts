/** Names that begin with a dot are hidden; among them are `._x.jpg` of macOS, `.thumbnails` and `.@__thumb`. */
export const isHidden = (name: string): boolean => name.startsWith('.')

/**
 * Names of what systems, storage boxes, cameras and photo programs put beside photos: bins, snapshots, previews, indexes.
 * None of it was put there by the person, and the previews decode as photos do.
 */
const made: readonly RegExp[] = [
  // Windows
  /^(?:\$recycle\.bin|recycle[rd]|recycle bin|system volume information|\$extend|dfsrprivate|found\.\d{3})$/,
  /^(?:(?:eh)?thumbs(?:_vista)?\.db.*|desktop\.ini|folder\.htt|~\$.*)$/,
  // macOS and its file servers
  /^(?:\._.*|__macosx|icon\r|network trash folder|temporary items|thevolumesettingsfolder|:2e.*)$/,
  // Linux, Android
  /^(?:lost\+found|lost\.dir|aquota\.(?:user|group))$/,
  // Synology, QNAP, ASUSTOR, Netgear, Buffalo, NetApp
  /^(?:@(?:eadir|syno.*|tmp|sharesnap|s2s|recycle|recently-snapshot|snapshots?|__thumb|transcode|upload_cache|sharebin))$/,
  /^(?:#(?:recycle|snapshot)|trashbox|~snapshot|_gsdata_|.*@syno(?:eastream|resource))$/,
  // Clouds and their clients
  /^(?:files_(?:trashbin|versions)|~syncthing~.*)$/,
  // Previews of cameras and of programs for photos
  /^[._@]*(?:thumb(?:s|nails?)?|thmbnl|thumbnail cache|ipod photo cache|_vti_cnf)$/,
  /^(?:picasa\.ini|zbthumbnail\.info|.*\.(?:lrdata|lrlibrary|photoslibrary|photolibrary|aplibrary))$/,
]

/** Whether a file or folder of this name, hidden ones aside, was made by a system or a program, in any case of letters. */
export const isSystemName = (name: string): boolean => made.some((pattern) => pattern.test(name.toLowerCase()))
