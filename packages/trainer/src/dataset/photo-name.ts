/** Formats that are taken for photos by name; one of them that cannot be decoded is the audit's to report. */
export const isPhotoName = (name: string): boolean =>
  /\.(?:jpe?g|jfif|png|webp|avif|gif|tiff?|bmp|hei[cf]|jp2|jxl)$/i.test(name)
