import * as Plot from '@observablehq/plot'
import { DOMParser } from 'linkedom'
import { Html } from '@flowers/shared/html'

/** Colours of the page and of its charts. */
export const palette = {
  light: {
    paper: '#fcfbf8',
    ink: '#23211d',
    soft: '#6b665c',
    rule: '#ddd8cd',
    wash: '#f3f0e9',
    train: '#a8690b',
    valid: '#2a6687',
    extra: '#8a3f73',
    wrong: '#b3402e',
    faint: '#cfc9bb',
    'on-fill': '#fff',
  },
  dark: {
    paper: '#191816',
    ink: '#e9e5dc',
    soft: '#a39d91',
    rule: '#3a3833',
    wash: '#24221f',
    train: '#dba04a',
    valid: '#74b4d8',
    extra: '#d48fc0',
    wrong: '#ee8572',
    faint: '#55514a',
    'on-fill': '#10181d',
  },
} as const

/** Colours that the style of the page gives a value for light and dark. */
export const colors = {
  train: 'var(--train)',
  valid: 'var(--valid)',
  extra: 'var(--extra)',
  wrong: 'var(--wrong)',
  faint: 'var(--faint)',
} as const

export interface ChartOptions extends Omit<Plot.PlotOptions, 'document' | 'ariaLabel'> {
  /** What a person who does not see the picture is told. */
  readonly label: string
}

/** A chart as inline SVG, with real text. Colours are those of the page: text is `currentColor`. */
export function chart({ label, ...options }: ChartOptions): Html {
  // As XML, so that a chart may also be a file of its own.
  const document = new DOMParser().parseFromString('<svg></svg>', 'image/svg+xml')
  const svg = Plot.plot({ style: { fontSize: '12px' }, ...options, document, ariaLabel: label }) as unknown as {
    setAttribute(name: string, value: string): void
    readonly outerHTML: string
  }
  svg.setAttribute('role', 'img')
  return new Html(svg.outerHTML)
}

export const percentTicks = (share: number): string => `${Math.round(100 * share)} %`

/** A chart as an SVG file of its own, in the light colours of the page. */
export function chartFile({ text }: Html): string {
  const { paper, ink, ...rest } = palette.light
  const colored = text.replaceAll(/var\(--([\w-]+)\)/g, (_, name: keyof typeof rest) => rest[name])
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" color="${ink}" `
  return `${colored.replace('<svg ', opening).replace('>', `><rect width="100%" height="100%" fill="${paper}"/>`)}\n`
}
