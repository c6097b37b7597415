import { palette } from '../charts/chart.ts'

const variables = (scheme: 'light' | 'dark'): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour[scheme]};`)
    .join(' ')

/** The style of a report. Colours are variables, so that charts follow light and dark with the page. */
export const style = `
:root { color-scheme: light dark; ${variables('light')} }
@media (prefers-color-scheme: dark) { :root { ${variables('dark')} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main, header, footer, nav { max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1, h2, h3 { font-family: ui-serif, "Iowan Old Style", Charter, Georgia, serif; line-height: 1.2; font-weight: 600; }
h1 { font-size: 2.4rem; margin: 0 0 0.25rem; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.6rem; margin: 3.5rem 0 0.75rem; padding-top: 0.75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p, figcaption, .note { max-width: 44rem; }
.note, figcaption, caption { color: var(--soft); font-size: 0.9rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 1.5rem 0 0; padding: 0; }
a { color: var(--valid); text-underline-offset: 0.15em; }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin: 1.75rem 0 0; }
.headline div { border-top: 2px solid var(--ink); padding-top: 0.5rem; }
.headline dt { color: var(--soft); font-size: 0.9rem; }
.headline dd { margin: 0; }
.headline .figure { font: 600 1.9rem/1.2 ui-serif, Charter, Georgia, serif; font-variant-numeric: tabular-nums; }
figure { margin: 1.25rem 0; }
figcaption { margin-top: 0.5rem; }
svg { display: block; max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
.wide > svg { max-width: none; }
.wide:focus-visible { outline: 2px solid var(--valid); }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem 1.5rem; }
.three figure { margin: 0; }
figure h3 { margin: 0.75rem 0 0.25rem; font: 500 0.95rem/1.4 system-ui, sans-serif; }
.three + .wide { margin-top: 2rem; }
.three .wide > svg { max-width: 100%; }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 0.75rem 0; padding: 0; font-size: 0.9rem; }
.key i { display: inline-block; width: 1.5rem; height: 0; border-top: 3px solid; vertical-align: middle; margin-right: 0.4rem; }
.key i.dashed { border-top-style: dashed; }
.key i.dot { width: 0.7rem; height: 0.7rem; border: 0; border-radius: 50%; background: currentColor; }
.key i.box { width: 0.8rem; height: 0.8rem; border: 0; background: currentColor; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.93rem; }
caption { text-align: left; padding-bottom: 0.5rem; }
th, td { padding: 0.25rem 1.1rem 0.25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody th[scope="rowgroup"] { padding-top: 1.25rem; font-family: ui-serif, Charter, Georgia, serif; font-size: 1.02rem; }
tbody th[scope="rowgroup"] span { color: var(--soft); font: 0.9rem system-ui, sans-serif; }
.stay { display: inline-block; position: sticky; left: 0; max-width: min(44rem, calc(100vw - 2.5rem)); white-space: normal; }
.classes :is(th, td) { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.bar { background: linear-gradient(to right, color-mix(in srgb, var(--valid) 22%, transparent) var(--share), transparent 0) no-repeat left / calc(100% - 1.1rem) 100%; padding-left: 0.35rem; min-width: 6rem; }
code, pre { font: 0.88em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(33.5rem, 100%), 1fr)); gap: 1.5rem 2rem; padding: 0; list-style: none; }
.pairs h3 { margin: 0 0 0.4rem; font: 500 1rem/1.4 system-ui, sans-serif; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1.25rem 1rem; padding: 0; list-style: none; }
.pairs .photos { grid-template-columns: repeat(auto-fill, 96px); gap: 0.5rem; }
.photos figure { margin: 0; }
.photos img { display: block; width: 96px; height: 96px; border-radius: 4px; background: var(--wash); }
.photos figcaption { font-size: 0.82rem; line-height: 1.4; overflow-wrap: anywhere; color: var(--ink); }
.photos small { color: var(--soft); font-size: inherit; white-space: nowrap; }
.pairs .photos small { white-space: normal; }
.wrong { color: var(--wrong); }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem 2.5rem; align-items: start; }
details { margin: 1rem 0; }
td details { margin: 0; }
summary { cursor: pointer; }
footer { padding: 3rem 1.25rem 2rem; color: var(--soft); font-size: 0.9rem; }
@media print { h2 { break-after: avoid; } figure, .photos li { break-inside: avoid; } }
`
