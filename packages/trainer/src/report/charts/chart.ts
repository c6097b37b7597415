import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { Html } from '@flowers/shared/html'

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
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const svg = Plot.plot({ style: { fontSize: '12px' }, ...options, document, ariaLabel: label }) as unknown as {
    setAttribute(name: string, value: string): void
    readonly outerHTML: string
  }
  svg.setAttribute('role', 'img')
  return new Html(svg.outerHTML)
}

export const percentTicks = (share: number): string => `${Math.round(100 * share)} %`
