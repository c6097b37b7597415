import * as Plot from '@observablehq/plot'
import { DOMParser } from 'linkedom'
import { Html } from '@flowers/shared/html'
import { oneLine } from '@flowers/shared/printable'

/** Colours of the page and of its charts, for light and dark. */
export const palette = {
  paper: { light: '#fcfbf8', dark: '#191816' },
  ink: { light: '#23211d', dark: '#e9e5dc' },
  soft: { light: '#6b665c', dark: '#a39d91' },
  rule: { light: '#ddd8cd', dark: '#3a3833' },
  wash: { light: '#f3f0e9', dark: '#24221f' },
  train: { light: '#a8690b', dark: '#dba04a' },
  valid: { light: '#2a6687', dark: '#74b4d8' },
  extra: { light: '#8a3f73', dark: '#d48fc0' },
  wrong: { light: '#b3402e', dark: '#ee8572' },
  faint: { light: '#cfc9bb', dark: '#55514a' },
  'on-fill': { light: '#fff', dark: '#10181d' },
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

/** Names of classes as a chart has room for; two that are shown alike stay two. */
export const chartNames = (labels: readonly string[]): string[] => labels.map((label) => oneLine(label, 60))

export const percentTicks = (share: number): string => `${Math.round(100 * share)} %`

/** A chart as an SVG file of its own, in the light colours of the page. */
export function chartFile({ text }: Html): string {
  const { paper, ink } = palette
  const colored = text.replaceAll(/var\(--([\w-]+)\)/g, (_, name: keyof typeof palette) => palette[name].light)
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" color="${ink.light}" `
  return `${colored.replace('<svg ', opening).replace('>', `><rect width="100%" height="100%" fill="${paper.light}"/>`)}\n`
}
