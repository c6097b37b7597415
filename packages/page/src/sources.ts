import { byId } from './dom.ts'

/** Calls `take` with each picture that is chosen, photographed, dropped, pasted or picked from the examples. */
export function listenForPictures(take: (picture: Blob) => void): void {
  choosing('choose', 'file', take)
  choosing('photograph', 'camera', take)
  dropping(take)
  document.addEventListener('paste', ({ clipboardData }) => takeFirst(clipboardData, take))
  for (const button of byId('examples', HTMLUListElement).querySelectorAll('button')) {
    button.addEventListener('click', () => {
      const { src } = button.querySelector('img')!
      void fetch(src)
        .then((response) => response.blob())
        // A service that is gone is noticed when the picture is sent.
        .catch(() => new Blob([new Uint8Array(1)]))
        .then(take)
    })
  }
}

function choosing(buttonId: string, inputId: string, take: (picture: Blob) => void): void {
  const input = byId(inputId, HTMLInputElement)
  byId(buttonId, HTMLButtonElement).addEventListener('click', () => input.click())
  input.addEventListener('change', () => {
    const file = input.files?.[0]
    // The same file may be chosen again.
    input.value = ''
    if (file) take(file)
  })
}

/** The whole page takes what is dropped: a near miss would leave the page for the picture. */
function dropping(take: (picture: Blob) => void): void {
  const { classList } = document.documentElement
  const over = (event: DragEvent): void => {
    event.preventDefault()
    classList.toggle('dropping', event.dataTransfer?.types.includes('Files') ?? false)
  }
  document.addEventListener('dragenter', over)
  document.addEventListener('dragover', over)
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) classList.remove('dropping')
  })
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    classList.remove('dropping')
    takeFirst(event.dataTransfer, take)
  })
}

function takeFirst(data: DataTransfer | null, take: (picture: Blob) => void): void {
  const file = data?.files[0]
  if (file) take(file)
}
