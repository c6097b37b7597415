import { Html, html } from '@flowers/shared/html'
import type { Findings, RunFacts } from '../facts.ts'
import { calibrationSection } from './calibration.ts'
import { classSection } from './classes.ts'
import { confusionSection } from './confusion.ts'
import { dataSection } from './data.ts'
import { headline } from './headline.ts'
import { labelsSection, mistakesSection } from './mistakes.ts'
import { section } from './parts.ts'
import type { Pictures } from './photos.ts'
import { environmentSection, recipeSection } from './settings.ts'
import { style } from './style.ts'
import { trainingSection } from './training.ts'

/** The browser holds the page to it: it asks nothing of anyone and runs nothing. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** A run as one HTML document that needs nothing besides itself. */
export function reportPage(facts: RunFacts, findings: Findings, pictures: Pictures): string {
  const sections = [
    mistakesSection(facts, findings, pictures),
    labelsSection(facts, findings, pictures),
    confusionSection(facts, findings, pictures),
    classSection(facts, findings),
    trainingSection(facts),
    calibrationSection(findings),
    dataSection(facts),
    recipeSection(facts),
    environmentSection(facts),
  ]
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(policy)}" />
        <title>Training on ${facts.source}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        ${headline(facts, findings)}
        <nav aria-label="Contents">
          <ul>
            ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
          </ul>
        </nav>
        <main>${sections.map(section)}</main>
        <footer>Made by <code>trainer report</code>${pictures === null ? ', without photos' : ''}.</footer>
      </body>
    </html> `.text
}
